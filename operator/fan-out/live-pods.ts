import type { Unit } from './task.ts'

export type Live = { readonly unit: Unit; readonly name: string; sinceMs: number; isOver: boolean }

/** The pods of a task whose end is not recorded yet, by name. */
export class LivePods {
  readonly #pods = new Map<string, Live>()
  readonly #ordinals = new Set<number>()
  #running = 0

  get size(): number {
    return this.#pods.size
  }

  /** Pods that have not ended: those that fill the window. */
  get running(): number {
    return this.#running
  }

  add(unit: Unit, name: string, sinceMs: number): Live {
    const live: Live = { unit, name, sinceMs, isOver: false }
    this.#pods.set(name, live)
    this.#ordinals.add(unit.ordinal)
    this.#running += 1
    return live
  }

  /** Undefined if no pod of this name is awaited. */
  awaited(name: string): Live | undefined {
    const live = this.#pods.get(name)
    return live === undefined || live.isOver ? undefined : live
  }

  allAwaited(): readonly Live[] {
    return [...this.#pods.values()].filter(({ isOver }) => !isOver)
  }

  end(live: Live): void {
    live.isOver = true
    this.#running -= 1
  }

  forget(name: string): void {
    const live = this.#pods.get(name)
    if (live === undefined) return
    this.#pods.delete(name)
    this.#ordinals.delete(live.unit.ordinal)
  }

  has({ ordinal }: Unit): boolean {
    return this.#ordinals.has(ordinal)
  }
}
