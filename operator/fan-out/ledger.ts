import type { Log } from '../observe/log.ts'
import type { World } from '../world.ts'
import type { Judgement, Row, Task, Unit } from './task.ts'

const FLUSH_EVERY_MS = 1_200 // the design allows one status write a second, however many pods end: this one each, and those of its beginning and end
const RETRY_MS = 2_000

export type LedgerOptions = Readonly<{
  task: Task
  world: World
  log: Log
  signal: AbortSignal
  /** A row is kept where the next process finds it; its pod, if there is one, may go. */
  recorded(judgement: Judgement, name: string | undefined): void
  /** A batch of rows is kept. */
  flushed(): void
}>

type Pending = Readonly<{ judgement: Judgement; name: string | undefined }>

/** How each unit ended so far, and what of it is not recorded yet. */
export class Ledger {
  readonly #options: LedgerOptions
  /** The last row of each unit. */
  readonly #rows = new Map<number, Row>()
  /** Units whose final row is kept. */
  readonly #acknowledged = new Set<number>()
  #pending: Pending[] = []
  #settled = 0
  #lost = 0
  #flushing = false
  #lastFlushMs = -Infinity

  constructor(options: LedgerOptions) {
    this.#options = options
    for (const row of options.task.recorded) {
      this.#keep(row)
      if (row.final) this.#acknowledged.add(row.ordinal)
    }
  }

  /** Asks the store for tries that ended while nobody looked. Repeats until it answers, or the signal ends it. */
  async catchUp(isLive: (unit: Unit) => boolean): Promise<void> {
    const { task } = this.#options
    const ended = (await this.#persist('looking for results of an earlier process', () => task.ended())) ?? []
    const missed = ended.filter((unit) => !this.hasRow(unit) && !isLive(unit))
    await Promise.all(missed.map((unit) => this.addVanished(unit)))
  }

  add(judgement: Judgement, name?: string): void {
    this.#keep(judgement.row)
    this.#pending.push({ judgement, name })
    void this.#flush()
  }

  /** The store is asked what became of it. */
  async addVanished(unit: Unit, name?: string): Promise<void> {
    const judgement = await this.#persist(`asking what became of try ${unit.attempt} of unit ${unit.ordinal}`, () => this.#options.task.judgeVanished(unit))
    if (judgement) this.add(judgement, name)
  }

  last(ordinal: number): Row | undefined {
    return this.#rows.get(ordinal)
  }

  hasRow({ ordinal, attempt }: Unit): boolean {
    const row = this.#rows.get(ordinal)
    return row !== undefined && (row.final || row.attempt >= attempt)
  }

  /** Whether the final row of this unit is kept. */
  isRecorded(ordinal: number): boolean {
    return this.#acknowledged.has(ordinal)
  }

  counts(): Readonly<{ settled: number; acknowledged: number; lost: number }> {
    return { settled: this.#settled, acknowledged: this.#acknowledged.size, lost: this.#lost }
  }

  #keep(row: Row): void {
    const before = this.#rows.get(row.ordinal)
    this.#rows.set(row.ordinal, row)
    if (!row.final) this.#lost += 1
    else if (before?.final !== true) this.#settled += 1
  }

  async #flush(): Promise<void> {
    if (this.#flushing) return
    this.#flushing = true
    const { world, signal } = this.#options
    while (this.#pending.length > 0 && !signal.aborted) {
      await world.sleep(Math.max(0, this.#lastFlushMs + FLUSH_EVERY_MS - world.monotonicMs()), signal).catch(() => undefined)
      if (!signal.aborted) await this.#record()
    }
    this.#flushing = false
  }

  async #record(): Promise<void> {
    const { task, world, signal } = this.#options
    this.#lastFlushMs = world.monotonicMs()
    const batch = this.#pending
    this.#pending = []
    await this.#persist('recording results', async () => task.record(batch.map(({ judgement }) => judgement.row)))
    if (signal.aborted) return
    for (const { name, judgement } of batch) {
      if (judgement.row.final) this.#acknowledged.add(judgement.row.ordinal)
      this.#options.recorded(judgement, name)
    }
    this.#options.flushed()
  }

  /** Again and again until it works; undefined once the signal has ended it. */
  async #persist<T>(what: string, action: () => Promise<T>): Promise<T | undefined> {
    const { world, signal, log, task } = this.#options
    while (!signal.aborted) {
      try {
        return await action()
      } catch (error) {
        if (signal.aborted) return undefined
        log.warn({ err: error, task: task.name }, `${what} failed; trying again`)
        await world.sleep(RETRY_MS, signal).catch(() => undefined)
      }
    }
    return undefined
  }
}
