import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from '../../operator/api/resource.ts'
import { aFleet, FleetType } from '../../operator/testing/fleet.ts'
import { waitUntil } from '../cluster/exec.ts'
import { startFleetWorld } from '../integration/fleet-world.ts'
import { answerOf, ask, bundleOf, forkOperator, residentMiB } from './processes.ts'
import { median, rounded, type Bench } from './result.ts'
import { makeServiceAccount } from './service-account.ts'

const STARTS = 5
const IDLE_AFTER_MS = 10_000
const OBJECTS = 10_000
const CREATORS = 16
const PADDING = 'x'.repeat(1_000) // a TrainingRun with its status is one or two KiB
const PATIENCE_MS = 600_000
const TARGETS = { idleRssMiB: 120, startToFirstReconcileSeconds: 2, longestTurnMs: 50 }

/** What a replica tells about itself. `longestTurnMs` is its own CPU time; lags are wall-clock time of a maybe busy machine. */
export type Report = Readonly<{ looked: number; lagP99Ms: number; lagMaxMs: number; longestTurnMs: number }>

type Replica = Readonly<{ startSeconds: number; report(): Promise<Report>; rssMiB(): Promise<number>; stop(): Promise<void> }>

/** The runtime on a real API server: idle memory, start, and its event loop with 10,000 objects. */
export const operatorBench: Bench = async (say) => {
  say('starting etcd and an API server')
  const sea = await startFleetWorld('bench')
  const account = await makeServiceAccount(sea.plane, 'a', 'bench')
  const program = await bundleOf(join(import.meta.dirname, 'operator-process.ts'), account.directory)
  const start = (env: NodeJS.ProcessEnv = {}): Promise<Replica> => startReplica(program, { ...account.env, ...env })
  try {
    await sea.client.create(FleetType, aFleet(0, { name: 'first' }))
    const idle = await measureIdle(start, say)
    await createFleets(sea.client, say)
    const filled = await measureMany(start, say)
    return { metrics: { ...idle, ...filled }, targets: TARGETS }
  } finally {
    await account.remove()
    await sea.stop()
  }
}

type Start = (env?: NodeJS.ProcessEnv) => Promise<Replica>

async function measureIdle(start: Start, say: (line: string) => void) {
  const starts: number[] = []
  for (let turn = 1; turn < STARTS; turn += 1) {
    const replica = await start()
    starts.push(replica.startSeconds)
    await replica.stop()
  }
  const replica = await start()
  starts.push(replica.startSeconds)
  say(`process start to first reconcile: ${starts.map((seconds) => seconds.toFixed(2)).join(', ')} s`)
  await delay(IDLE_AFTER_MS)
  const idleRssMiB = await replica.rssMiB()
  say(`resident set ${IDLE_AFTER_MS / 1000} s later: ${idleRssMiB.toFixed(0)} MiB`)
  await replica.stop()
  return { idleRssMiB: rounded(idleRssMiB, 1), startToFirstReconcileSeconds: rounded(median(starts)) }
}

async function createFleets(client: Client, say: (line: string) => void): Promise<void> {
  const startedMs = performance.now()
  let next = 0
  const create = async (): Promise<void> => {
    for (let number = (next += 1); number < OBJECTS; number = (next += 1)) {
      await client.create(FleetType, aFleet(0, { name: `fleet-${number}`, annotations: { padding: PADDING } }))
    }
  }
  await Promise.all(Array.from({ length: CREATORS }, create))
  say(`created ${OBJECTS} objects in ${((performance.now() - startedMs) / 1000).toFixed(0)} s`)
}

/** A first process that writes every status, then one that finds all of it done. */
async function measureMany(start: Start, say: (line: string) => void) {
  const writing = await lookAtAll(start)
  say(`${OBJECTS} first passes, each with a status write: ${writing.seconds.toFixed(0)} s, longest turn ${writing.report.longestTurnMs.toFixed(0)} ms`)
  const restarted = await lookAtAll(start)
  say(`restart with ${OBJECTS} objects: all looked at after ${restarted.seconds.toFixed(1)} s, longest turn ${restarted.report.longestTurnMs.toFixed(0)} ms`)
  const worst = (of: (report: Report) => number): number => rounded(Math.max(of(writing.report), of(restarted.report)), 1)
  return {
    objects: OBJECTS,
    passesWithWritePerSecond: rounded(OBJECTS / writing.seconds, 0),
    restartToAllLookedAtSeconds: rounded(restarted.seconds, 1),
    rssWithObjectsMiB: rounded(restarted.rssMiB, 1),
    longestTurnMs: worst(({ longestTurnMs }) => longestTurnMs),
    lagP99Ms: worst(({ lagP99Ms }) => lagP99Ms),
    lagMaxMs: worst(({ lagMaxMs }) => lagMaxMs),
  }
}

async function lookAtAll(start: Start): Promise<Readonly<{ seconds: number; report: Report; rssMiB: number }>> {
  const startedMs = performance.now()
  const replica = await start({ BENCH_TURNS: 'Watch' })
  await waitUntil(`all ${OBJECTS} are looked at`, PATIENCE_MS, async () => (await replica.report()).looked >= OBJECTS)
  const seconds = (performance.now() - startedMs) / 1000
  await delay(1_000) // the last status writes come back as events
  const [report, rssMiB] = [await replica.report(), await replica.rssMiB()]
  await replica.stop()
  return { seconds, report, rssMiB }
}

async function startReplica(program: string, env: NodeJS.ProcessEnv): Promise<Replica> {
  const startedMs = performance.now()
  const child = await forkOperator(program, env)
  await answerOf<string>(child)
  const startSeconds = (performance.now() - startedMs) / 1000
  return {
    startSeconds,
    report: () => ask<Report>(child, 'report'),
    rssMiB: () => residentMiB(child.pid ?? 0),
    stop: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.send('stop')
      await gone
    },
  }
}
