import type { World } from '../world.ts'
import { Backoff } from './backoff.ts'
import { Heap } from './heap.ts'

/** For what nobody is waiting for, such as the first list and resyncs: a fresh edit overtakes it. */
export const LOW_PRIORITY = -100

/** Told how long each key waited and was worked on, in milliseconds. */
export type QueueObserver = Readonly<{ taken(waitedMs: number): void; finished(workedMs: number): void }>

/** What is in the queue at this moment, and how much came so far. */
export type QueueSnapshot = Readonly<{
  /** Ready keys by priority. */
  depth: ReadonlyMap<number, number>
  adds: number
  retries: number
  unfinishedMs: number
  longestRunningMs: number
}>

export type Work = Readonly<{ key: string; priority: number }>
type Item = Work & Readonly<{ readyAtMs: number; order: number }>

const SPARE_ITEMS = 64 // replaced items that are not worth a clean-up
const LONGEST_SLEEP_MS = 3_600_000 // timers of more than 24.8 days fire at once; waking once an hour costs nothing

/**
 * Keys that want work. A key is handed to one worker at a time, is never handed out twice for the same reason,
 * and a key added while it is worked on is handed out again: no wake-up is lost.
 */
export class WorkQueue {
  readonly #world: World
  readonly #observer: QueueObserver
  readonly #backoff: Backoff
  /** Keys that want work; a key that is also in `#processing` waits there until `done`. */
  readonly #dirty = new Map<string, Item>()
  readonly #processing = new Map<string, number>()
  /** Both heaps may hold replaced items; only the one in `#dirty` counts. */
  readonly #ready = new Heap<Item>(isServedBefore)
  readonly #waiting = new Heap<Item>((one, other) => one.readyAtMs < other.readyAtMs)
  readonly #workers: ((work: Work | undefined) => void)[] = []
  readonly #idle: (() => void)[] = []
  #order = 0
  #adds = 0
  #retries = 0
  #closed = false
  #alarm: Readonly<{ atMs: number; abort: AbortController }> | undefined

  constructor(world: World, observer: QueueObserver) {
    this.#world = world
    this.#observer = observer
    this.#backoff = new Backoff(world)
  }

  /** A key that is already wanted keeps the higher priority and the earlier time of the two. */
  add(key: string, { priority = 0, afterMs = 0 }: Readonly<{ priority?: number; afterMs?: number }> = {}): void {
    if (this.#closed) return
    const nowMs = this.#world.monotonicMs()
    const before = this.#dirty.get(key)
    const readyAtMs = Math.min(nowMs + Math.max(afterMs, 0), before?.readyAtMs ?? Infinity)
    const wasReady = before !== undefined && before.readyAtMs <= nowMs
    if (before && before.priority >= priority && before.readyAtMs === readyAtMs) return
    const order = wasReady ? before.order : this.#nextOrder()
    const item = { key, priority: Math.max(priority, before?.priority ?? -Infinity), readyAtMs, order }
    this.#dirty.set(key, item)
    if (!before) this.#adds += 1
    this.#enqueue(item)
  }

  /** Adds the key after its own back-off, which doubles until `forget`. */
  retry(key: string, priority = 0): void {
    this.#retries += 1
    this.add(key, { priority, afterMs: this.#backoff.next(key) })
  }

  forget(key: string): void {
    this.#backoff.forget(key)
  }

  /** The next key, or `undefined` once the queue is closed. Call `done` with it afterwards, whatever happened. */
  take(): Promise<Work | undefined> {
    if (this.#closed) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      this.#workers.push(resolve)
      this.#dispatch()
    })
  }

  done(key: string): void {
    const startedMs = this.#processing.get(key)
    if (startedMs === undefined) return
    this.#processing.delete(key)
    this.#observer.finished(this.#world.monotonicMs() - startedMs)
    const again = this.#dirty.get(key)
    if (again) this.#enqueue(again)
    if (this.#processing.size === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** Hands out no more keys; resolves when the last one handed out is done. Waiting keys are dropped: a successor lists them anew. */
  async close(): Promise<void> {
    this.#closed = true
    this.#dirty.clear()
    this.#alarm?.abort.abort()
    for (const worker of this.#workers.splice(0)) worker(undefined)
    if (this.#processing.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  snapshot(): QueueSnapshot {
    const nowMs = this.#world.monotonicMs()
    const depth = new Map<number, number>()
    for (const { key, priority, readyAtMs } of this.#dirty.values()) {
      if (readyAtMs <= nowMs && !this.#processing.has(key)) depth.set(priority, (depth.get(priority) ?? 0) + 1)
    }
    const running = [...this.#processing.values()].map((startedMs) => nowMs - startedMs)
    return {
      depth,
      adds: this.#adds,
      retries: this.#retries,
      unfinishedMs: running.reduce((sum, ms) => sum + ms, 0),
      longestRunningMs: Math.max(0, ...running),
    }
  }

  #nextOrder(): number {
    return (this.#order += 1)
  }

  #enqueue(item: Item): void {
    if (this.#processing.has(item.key)) return
    if (item.readyAtMs <= this.#world.monotonicMs()) this.#ready.push(item)
    else this.#wait(item)
    this.#dispatch()
  }

  /** A key that is worked on before its time leaves its item behind; hours of those must not pile up. */
  #wait(item: Item): void {
    this.#waiting.push(item)
    if (this.#waiting.size > 2 * this.#dirty.size + SPARE_ITEMS) this.#waiting.retain((waiting) => this.#isCurrent(waiting))
  }

  #dispatch(): void {
    this.#wakeDue()
    while (this.#workers.length > 0) {
      const item = this.#popReady()
      if (!item) return
      const nowMs = this.#world.monotonicMs()
      this.#dirty.delete(item.key)
      this.#processing.set(item.key, nowMs)
      this.#observer.taken(nowMs - item.readyAtMs)
      this.#workers.shift()?.({ key: item.key, priority: item.priority })
    }
  }

  #popReady(): Item | undefined {
    for (let item = this.#ready.pop(); item; item = this.#ready.pop()) if (this.#isCurrent(item)) return item
    return undefined
  }

  /** Moves what has become due to the ready keys and sets the alarm for what comes next. */
  #wakeDue(): void {
    const nowMs = this.#world.monotonicMs()
    for (let next = this.#waiting.peek(); next; next = this.#waiting.peek()) {
      if (this.#isCurrent(next) && next.readyAtMs > nowMs) return this.#setAlarm(next.readyAtMs)
      this.#waiting.pop()
      if (this.#isCurrent(next)) this.#becomeReady(next)
    }
  }

  /** A key that waited joins the end of its priority: its turn counts from when it became ready. */
  #becomeReady(waited: Item): void {
    const item = { ...waited, order: this.#nextOrder() }
    this.#dirty.set(item.key, item)
    this.#ready.push(item)
  }

  #isCurrent(item: Item): boolean {
    return this.#dirty.get(item.key) === item && !this.#processing.has(item.key)
  }

  #setAlarm(atMs: number): void {
    if (this.#alarm && this.#alarm.atMs <= atMs) return
    this.#alarm?.abort.abort()
    const alarm = { atMs, abort: new AbortController() }
    this.#alarm = alarm
    const sleepMs = Math.min(atMs - this.#world.monotonicMs(), LONGEST_SLEEP_MS)
    this.#world.sleep(sleepMs, alarm.abort.signal).then(
      () => this.#onAlarm(alarm),
      () => undefined, // replaced by an earlier alarm, or closed
    )
  }

  #onAlarm(alarm: Readonly<{ atMs: number; abort: AbortController }>): void {
    if (this.#alarm === alarm) this.#alarm = undefined
    this.#dispatch()
  }
}

function isServedBefore(one: Item, other: Item): boolean {
  return one.priority === other.priority ? one.order < other.order : one.priority > other.priority
}
