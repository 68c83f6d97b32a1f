import { ApiError } from '../api/errors.ts'
import { resourceType, type KubeObject } from '../api/object.ts'
import type { Client } from '../api/resource.ts'
import { FanOut } from '../fan-out/fan-out.ts'
import type { Judgement, Row, Task, Unit } from '../fan-out/task.ts'
import { silentLog } from '../observe/log.ts'
import { FakeApiServer, type Death } from './fake-api-server.ts'
import { FakeCache } from './fake-cache.ts'
import { createFakeWorld, type FakeWorld } from './fake-world.ts'

export type Pod = KubeObject & { status?: { phase?: string } }
const PodType = resourceType<Pod>({ apiVersion: 'v1', kind: 'Pod', plural: 'pods', scope: 'Namespaced' })
export const WORK_MS = 5_000

/** Every write at which the process of a fan-out may die in a test. */
export const deaths = Array.from({ length: 16 }, (_, index) => index + 1).flatMap((atWrite) => (['Before', 'After'] as const).map((moment) => ({ atWrite, moment })))

/** A cluster whose kubelet lets every pod succeed after five seconds, and a store that keeps what pods and fan-outs leave. */
export function aCluster() {
  const world = createFakeWorld()
  const server = new FakeApiServer(world)
  const cache = new FakeCache(server)
  const rows: Row[] = []
  const verdicts = new Map<string, Unit>()
  const most = { pods: 0 }
  const losing = new Set<string>()
  const pods = (): readonly Pod[] => cache.of(PodType).list()
  const task = (total: number): Task => aTask(total, { rows, verdicts, losing })
  server.watch((_before, after) => {
    most.pods = Math.max(most.pods, pods().filter((pod) => pod.status?.phase === undefined).length)
    if (after) void kubelet(after)
  })
  async function kubelet(pod: KubeObject & { status?: unknown }): Promise<void> {
    if (pod.status !== undefined) return
    await world.sleep(WORK_MS)
    const present = server.find(pod)
    if (!present || present.status !== undefined) return
    const unit = unitOf(pod.metadata.name)
    if (!losing.has(pod.metadata.name)) verdicts.set(pod.metadata.name, unit)
    server.put({ ...present, status: { phase: 'Succeeded' } })
  }
  const quota = { isFull: false }
  const mayWrite = (): void => {
    if (quota.isFull) throw new ApiError({ code: 403, reason: 'Forbidden', message: 'exceeded quota: pods' })
  }
  const told = { times: 0 }
  const removals: Deletions = { tookMs: 0, atOnce: 0, mostAtOnce: 0, refused: new Set() }
  const open = (total: number, window: number, more: Partial<Task> = {}, death?: Death): FanOut =>
    new FanOut({ task: { ...task(total), ...more }, podType: PodType, client: deletingLike(removals, server.connect({ mayWrite }, death), world), cache, world, log: silentLog, window, advanced: () => void (told.times += 1) })
  return { world, server, cache, rows, pods, open, losing, most, verdicts, quota, told, removals }
}

type Deletions = { tookMs: number; atOnce: number; mostAtOnce: number; readonly refused: Set<string> }

/** Deletions that take their time, or are refused. */
function deletingLike(removals: Deletions, client: Client, world: FakeWorld): Client {
  return {
    ...client,
    remove: async (type, key, options) => {
      removals.mostAtOnce = Math.max(removals.mostAtOnce, (removals.atOnce += 1))
      if (removals.tookMs > 0) await world.sleep(removals.tookMs)
      removals.atOnce -= 1
      if (removals.refused.has(key.name)) throw new ApiError({ code: 403, reason: 'Forbidden', message: 'held by a webhook' })
      await client.remove(type, key, options)
    },
  }
}

type Kept = Readonly<{ rows: Row[]; verdicts: ReadonlyMap<string, Unit>; losing: ReadonlySet<string> }>

function aTask(total: number, { rows, verdicts, losing }: Kept): Task {
  const endOf = (unit: Unit): Judgement => (losing.has(nameOf(unit)) ? { row: { ...unit, code: 'I', final: false, seconds: 1 }, retryAfterMs: 3_000 } : { row: { ...unit, code: 'R', final: true, seconds: 5 } })
  return {
    name: 'team/eval', namespace: 'team', total,
    recorded: [...new Map(rows.map((row) => [row.ordinal, row])).values()],
    podOf: (unit) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'team', name: nameOf(unit) } }),
    judge: (unit, pod: Pod) => (pod.status?.phase === 'Succeeded' ? endOf(unit) : undefined),
    judgeVanished: async (unit) => (verdicts.has(nameOf(unit)) ? endOf(unit) : { row: { ...unit, code: 'I', final: false, seconds: 0 } }),
    ended: async () => [...verdicts.values()],
    record: async (batch) => void rows.push(...batch),
  }
}

export function nameOf({ ordinal, attempt }: Unit): string {
  return `u-${ordinal}-${attempt}`
}

export function unitOf(name: string): Unit {
  const [, ordinal, attempt] = name.split('-').map(Number)
  return { ordinal: ordinal ?? 0, attempt: attempt ?? 1 }
}

export async function untilDone(world: FakeWorld, fanOut: FanOut, seconds = 300): Promise<void> {
  for (let second = 0; second < seconds && !fanOut.progress().isDone; second += 1) await world.advance(1_000)
}

/** Of the units that are settled. */
export function ordinals(rows: readonly Row[]): readonly number[] {
  return rows.filter(({ final }) => final).map(({ ordinal }) => ordinal).sort((one, other) => one - other)
}

/** The names of all pods that were ever created. */
export function created(writes: readonly string[]): readonly string[] {
  return writes.filter((write) => write.startsWith('create')).map((write) => write.split('/').at(-1) ?? '')
}
