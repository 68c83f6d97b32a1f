import { setImmediate as turn } from 'node:timers/promises'
import type { World } from '../world.ts'

/** A world for tests: time moves only when told to, randomness and ids repeat. */
export type FakeWorld = World &
  Readonly<{
    /** Moves time on, waking sleepers in order and letting each of them run before the next. */
    advance(ms: number): Promise<void>
    /** Lets everything run that can run without time passing. */
    settle(): Promise<void>
    /** Another process on the same clock. */
    replica(): FakeWorld
    /** Time goes on, but nobody in this process wakes up, as under SIGSTOP. */
    pause(): void
    resume(): void
  }>

type Sleeper = { atMs: number; wake: () => void; isPaused: () => boolean }
type Clock = { ms: number; ids: number; seed: number; sleepers: Sleeper[] }

const START = new Date('2026-01-01T00:00:00Z').getTime()
const TURNS_TO_SETTLE = 4 // each turn drains all microtasks; a few more for what immediates start

export function createFakeWorld(seed = 1): FakeWorld {
  return worldOn({ ms: 0, ids: 0, seed, sleepers: [] })
}

function worldOn(clock: Clock): FakeWorld {
  let paused = false
  return {
    now: () => new Date(START + clock.ms),
    monotonicMs: () => clock.ms,
    random: () => nextRandom(clock),
    uuid: () => `00000000-0000-4000-8000-${String((clock.ids += 1)).padStart(12, '0')}`,
    sleep: (ms, signal) => sleepOn(clock, { ms, signal, isPaused: () => paused }),
    advance: (ms) => advance(clock, ms),
    settle,
    replica: () => worldOn(clock),
    pause: () => (paused = true),
    resume: () => (paused = false),
  }
}

async function advance(clock: Clock, ms: number): Promise<void> {
  const end = clock.ms + ms
  await settle()
  for (let next = nextSleeper(clock, end); next; next = nextSleeper(clock, end)) {
    clock.ms = Math.max(clock.ms, next.atMs)
    next.wake()
    await settle()
  }
  clock.ms = end
}

function nextSleeper(clock: Clock, untilMs: number): Sleeper | undefined {
  const due = clock.sleepers.filter((sleeper) => sleeper.atMs <= untilMs && !sleeper.isPaused())
  return due.sort((one, other) => one.atMs - other.atMs)[0]
}

async function settle(): Promise<void> {
  for (let i = 0; i < TURNS_TO_SETTLE; i += 1) await turn()
}

type Sleep = Readonly<{ ms: number; signal: AbortSignal | undefined; isPaused: () => boolean }>

function sleepOn(clock: Clock, { ms, signal, isPaused }: Sleep): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(asError(signal.reason))
    const leave = (): void => void clock.sleepers.splice(clock.sleepers.indexOf(sleeper), 1)
    const abort = (): void => {
      leave()
      reject(asError(signal?.reason))
    }
    const wake = (): void => {
      leave()
      signal?.removeEventListener('abort', abort)
      resolve()
    }
    const sleeper: Sleeper = { atMs: clock.ms + ms, isPaused, wake }
    clock.sleepers.push(sleeper)
    signal?.addEventListener('abort', abort, { once: true })
  })
}

/** mulberry32: small, seeded, good enough to spread jitter in tests. */
function nextRandom(clock: Clock): number {
  clock.seed = (clock.seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(clock.seed ^ (clock.seed >>> 15), 1 | clock.seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
