const WAITING_FOR_EACH = 16

/**
 * The names of pods whose rows are kept, so that they may go. They come in bursts, and all at once they would make the
 * next pods wait in the API server: one goes at a time, and one more for every sixteen that wait.
 */
export class Removals {
  readonly #waiting: string[] = []
  #underWay = 0

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  add(name: string): void {
    this.#waiting.push(name)
  }

  /** One that may go now; `over` must be called when it did, or could not. */
  take(): string | undefined {
    if (this.#underWay > this.#waiting.length / WAITING_FOR_EACH) return undefined
    const name = this.#waiting.shift()
    if (name !== undefined) this.#underWay += 1
    return name
  }

  over(): void {
    this.#underWay -= 1
  }
}
