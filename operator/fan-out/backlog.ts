import { Heap } from '../queue/heap.ts'
import type { Unit } from './task.ts'

type Retry = Unit & Readonly<{ dueMs: number }>

/** The tries that wait for a pod: first those whose delay is over, then units never tried, lowest ordinal first. */
export class Backlog {
  readonly #total: number
  readonly #isKnown: (ordinal: number) => boolean
  readonly #retries = new Heap<Retry>((one, other) => one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.ordinal < other.ordinal))
  #next = 0

  /** `isKnown` tells the units that were tried before; their next try, if any, comes by `retry`. */
  constructor(total: number, isKnown: (ordinal: number) => boolean) {
    this.#total = total
    this.#isKnown = isKnown
  }

  retry({ ordinal, attempt }: Unit, dueMs: number): void {
    this.#retries.push({ ordinal, attempt, dueMs })
  }

  take(nowMs: number): Unit | undefined {
    const due = this.#retries.peek()
    if (due && due.dueMs <= nowMs) {
      this.#retries.pop()
      return { ordinal: due.ordinal, attempt: due.attempt }
    }
    while (this.#next < this.#total && this.#isKnown(this.#next)) this.#next += 1
    if (this.#next >= this.#total) return undefined
    this.#next += 1
    return { ordinal: this.#next - 1, attempt: 1 }
  }
}
