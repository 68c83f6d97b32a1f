/** A binary heap: the smallest item first, by the order given. */
export class Heap<T> {
  readonly #items: T[] = []
  readonly #isBefore: (one: T, other: T) => boolean

  constructor(isBefore: (one: T, other: T) => boolean) {
    this.#isBefore = isBefore
  }

  get size(): number {
    return this.#items.length
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    let index = this.#items.push(item) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#swapIfBefore(index, parent)) return
      index = parent
    }
  }

  pop(): T | undefined {
    const first = this.#items[0]
    const last = this.#items.pop()
    if (last === undefined || this.#items.length === 0) return first
    this.#items[0] = last
    this.#sink()
    return first
  }

  /** Forgets all other items. */
  retain(isKept: (item: T) => boolean): void {
    const kept = this.#items.filter(isKept)
    this.#items.length = 0
    for (const item of kept) this.push(item)
  }

  #sink(): void {
    for (let index = 0; ; ) {
      const left = 2 * index + 1
      const child = this.#isItemBefore(left + 1, left) ? left + 1 : left
      if (!this.#swapIfBefore(child, index)) return
      index = child
    }
  }

  #swapIfBefore(index: number, other: number): boolean {
    if (!this.#isItemBefore(index, other)) return false
    const [one, two] = [this.#items[index], this.#items[other]]
    if (one === undefined || two === undefined) return false
    this.#items[index] = two
    this.#items[other] = one
    return true
  }

  #isItemBefore(index: number, other: number): boolean {
    const [one, two] = [this.#items[index], this.#items[other]]
    return one !== undefined && two !== undefined && this.#isBefore(one, two)
  }
}
