import { setTimeout as delay } from 'node:timers/promises'
import { podKeyOf } from '../../controllers/swebench-eval/sandbox.ts'
import { PodType } from '../../controllers/shared/kinds.ts'
import { waitUntil } from '../cluster/exec.ts'
import { callsBy } from '../world/audit.ts'
import { reactionsMs } from './audited.ts'
import { auditBytes, type DrainWorld } from './drain-rounds.ts'
import { withDrainWorld } from './drain-world.ts'
import { ADMINISTRATOR, TEAM } from './kwok-cluster.ts'
import { quantile, rounded, type Bench } from './result.ts'
import { layOutEvaluation, release, untilHeld } from './simulated-evaluation.ts'
import { endedStatus, simulatedOutcome } from './simulated-nodes.ts'

const WINDOW = 256
const EVENTS_PER_POD = 5 // of which the operator is told: created, has a node, runs, has ended, is gone
const RATES = [50, 100] // events a second
const SECONDS = 60
const PATIENCE_MS = 120_000
const CALM_MS = 3_000
const TARGETS = { reactionP99MsAt50: 30, reactionP99MsAt100: 30, lagP99MsAt100: 20 }

/** How soon after the end of a pod the next one is asked for, while things happen at a steady rate whatever the operator does. */
export const reactionBench: Bench = async (say) => {
  const metrics = await withDrainWorld({ limits: 'Lifted', taskMs: 'Never' }, say, async (world) => {
    const all: Record<string, number> = {}
    for (const rate of RATES) Object.assign(all, await react(world, { rate, seconds: SECONDS, window: WINDOW }, say))
    return all
  })
  return { metrics, targets: TARGETS }
}

type Load = Readonly<{ rate: number; seconds: number; window: number }>

export async function react({ cluster, site }: DrainWorld, { rate, seconds, window }: Load, say: (line: string) => void): Promise<Readonly<Record<string, number>>> {
  const { client, plane } = cluster
  const ends = (rate * seconds) / EVENTS_PER_POD
  const evaluation = await layOutEvaluation(client, site.store, { name: `reaction-${rate}`, predictions: ends + window, window })
  const operator = await site.start()
  await untilHeld(client, evaluation)
  await release(client, evaluation)
  const { name, uid = '' } = evaluation.metadata
  const keyOfPod = (ordinal: number) => podKeyOf({ namespace: TEAM, evaluation: name, uid, unit: { ordinal, attempt: 1 } })
  await waitUntil('the window is full and runs', PATIENCE_MS, async () => (await client.get(PodType, keyOfPod(window - 1)))?.status?.phase === 'Running')
  await delay(CALM_MS)
  await operator.resetReport()
  const fromByte = await auditBytes(cluster)
  const end = (ordinal: number) => client.patch(PodType, keyOfPod(ordinal), { contentType: 'application/merge-patch+json', subresource: 'status', body: { status: endedStatus(simulatedOutcome(ordinal)) } })
  await atRate(rate / EVENTS_PER_POD, ends, end)
  await delay(CALM_MS)
  const [{ lagP99Ms, lagMaxMs }, calls] = [await operator.report(), await callsBy([ADMINISTRATOR, site.user], plane.auditLogPath, fromByte)]
  await operator.kill()
  await cluster.kube.run(['delete', 'swebencheval', name, '-n', TEAM, '--cascade=foreground', '--wait'])
  const all = reactionsMs(calls, { ends: ADMINISTRATOR, reacts: site.user })
  const [p50, p99, most] = [quantile(all, 0.5), quantile(all, 0.99), Math.max(...all)]
  say(`${rate} events of pods a second, ${all.length} pods end: the next one is asked for after p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, at most ${most.toFixed(1)} ms; loop lag p99 ${lagP99Ms.toFixed(1)}, at most ${lagMaxMs.toFixed(1)} ms`)
  const named = { ends: all.length, reactionP50Ms: p50, reactionP99Ms: p99, reactionMostMs: most, lagP99Ms, lagMaxMs }
  return Object.fromEntries(Object.entries(named).map(([figure, value]) => [`${figure}At${rate}`, rounded(value, 1)]))
}

/** Calls at even distances, each when it is due, though earlier ones are not answered. Rejects with the first that fails. */
async function atRate(perSecond: number, count: number, call: (number: number) => Promise<unknown>): Promise<void> {
  const startedMs = performance.now()
  const calls: Promise<unknown>[] = []
  for (let number = 0; number < count; number += 1) {
    await delay(Math.max(0, startedMs + (1000 * number) / perSecond - performance.now()))
    calls.push(call(number))
  }
  await Promise.all(calls)
}
