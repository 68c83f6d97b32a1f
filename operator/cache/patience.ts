import type { World } from '../world.ts'

const FIRST_MS = 800 // these five are client-go's reflector: known to be bearable for a server with many clients
const LONGEST_MS = 30_000
const FACTOR = 2
const JITTER = 1
const QUIET_RESET_MS = 120_000

/** How long a reflector waits after a failure: 0.8 s doubling to 30 s, up to twice that by chance, anew after 2 min without. */
export class Patience {
  readonly #world: World
  #baseMs = FIRST_MS
  #lastMs = -Infinity

  constructor(world: World) {
    this.#world = world
  }

  /** Milliseconds to wait after one more failure. */
  nextMs(): number {
    const now = this.#world.monotonicMs()
    if (now - this.#lastMs > QUIET_RESET_MS) this.#baseMs = FIRST_MS
    const ms = this.#baseMs * (1 + JITTER * this.#world.random())
    this.#baseMs = Math.min(this.#baseMs * FACTOR, LONGEST_MS)
    this.#lastMs = now + ms
    return ms
  }
}
