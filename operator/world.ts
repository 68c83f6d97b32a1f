import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

/** Time, randomness and ids. Everything that would differ between two runs of the same code comes from here. */
export type World = Readonly<{
  /** Wall-clock time; for what people read. */
  now(): Date
  /** Milliseconds that never jump; for deadlines and durations. */
  monotonicMs(): number
  /** Uniform in [0, 1). */
  random(): number
  uuid(): string
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}>

/** The world as it is. Sleeping does not keep the process alive on its own. */
export const realWorld: World = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  random: () => Math.random(),
  uuid: () => randomUUID(),
  sleep: (ms, signal) => delay(ms, undefined, { ref: false, ...(signal ? { signal } : {}) }),
}
