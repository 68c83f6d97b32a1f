import { randomUUID } from 'node:crypto'

/** Time, randomness and ids. Everything that would differ between two runs of the same code comes from here. */
export type World = Readonly<{
  /** Wall-clock time; for what people read. */
  now(): Date
  /** Milliseconds that never jump; for deadlines and durations. */
  monotonicMs(): number
  /** Uniform in [0, 1). */
  random(): number
  uuid(): string
  /** Resolves after `ms`, soon where that is over already; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}>

/** The world as it is. Sleeping does not keep the process alive on its own. */
export const realWorld: World = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  random: () => Math.random(),
  uuid: () => randomUUID(),
  sleep: (ms, signal) => sleep(ms, signal),
}

/** Node's own makes an error with a stack for each sleep that is aborted, and there is one for each call to the API server. */
function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, Math.max(0, ms)).unref()
    signal?.addEventListener('abort', stop, { once: true })
  })
}
