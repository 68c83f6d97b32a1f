import type { World } from '../world.ts'

const FIRST_DELAY_MS = 5 // client-go's: most first failures are conflicts, gone a moment later
const LONGEST_DELAY_MS = 300_000 // not client-go's 1000 s: somebody watching a run should not wait 17 minutes
const JITTER = 0.2 // keys that failed together do not come back together

/** Exponential delays per key: 5 ms · 2ⁿ up to 300 s, ±20 %. */
export class Backoff {
  readonly #world: Pick<World, 'random'>
  readonly #failures = new Map<string, number>()

  constructor(world: Pick<World, 'random'>) {
    this.#world = world
  }

  /** Counts one more failure of the key; milliseconds until it should be tried again. */
  next(key: string): number {
    const failures = this.failures(key)
    this.#failures.set(key, failures + 1)
    const delay = Math.min(FIRST_DELAY_MS * 2 ** failures, LONGEST_DELAY_MS)
    return delay * (1 + JITTER * (2 * this.#world.random() - 1))
  }

  forget(key: string): void {
    this.#failures.delete(key)
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0
  }
}
