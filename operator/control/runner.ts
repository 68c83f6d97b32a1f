import { setImmediate as nextTurn } from 'node:timers/promises'
import { keyOf, type KubeObject, type ObjectKey, type ResourceType } from '../api/object.ts'
import type { Cache, ChangeHandler } from '../cache/cache.ts'
import { controllerKeyOf } from '../meta/owner.ts'
import type { Log } from '../observe/log.ts'
import { LOW_PRIORITY, WorkQueue, type QueueObserver, type QueueSnapshot, type Work } from '../queue/work-queue.ts'
import type { World } from '../world.ts'
import type { Controller } from './controller.ts'
import type { FailureClass, Outcome, Reconciler } from './reconcile.ts'

/** What a running controller tells about itself. Durations are in milliseconds. */
export type RunnerObserver = Readonly<{
  queue: QueueObserver
  /** Called once, with where the queue can be looked at. */
  exposes(snapshot: () => QueueSnapshot): void
  began(): void
  ended(result: Outcome['result'], tookMs: number, failure?: FailureClass): void
}>

export type RunnerOptions = Readonly<{
  controller: Controller
  cache: Cache
  reconcile: Reconciler
  world: World
  log: Log
  observer: RunnerObserver
}>

export const WORKERS = 4 // one thread: more workers hide more waiting, and hold more memory
const RESYNC_MS = 36_000_000 // 10 h, as controller-runtime: a net under lost wake-ups, which should not exist
const RESYNC_JITTER = 0.1
const IN_NO_HURRY = { priority: LOW_PRIORITY }
const AT_ONCE = { priority: 0 }

/** Feeds one controller from the cache and drives its workers, while this process leads. */
export class Runner {
  readonly #options: RunnerOptions
  readonly #queue: WorkQueue
  readonly #stop = new AbortController()
  #subscriptions: readonly (() => void)[] | undefined

  constructor(options: RunnerOptions) {
    this.#options = options
    this.#queue = new WorkQueue(options.world, options.observer.queue)
    options.observer.exposes(() => this.#queue.snapshot())
  }

  get name(): string {
    return this.#options.controller.name
  }

  start(): void {
    if (this.#subscriptions || this.#stop.signal.aborted) return
    const { controller, cache } = this.#options
    this.#subscriptions = [
      cache.onChange(controller.type, this.#enqueuing((object) => [object.metadata])),
      ...controller.owns.map((type) => cache.onChange(type, this.#enqueuing(ownerIn(controller.type)))),
      ...controller.watches.map(({ type, keys }) => cache.onChange(type, this.#enqueuing((object) => keys(object, cache)))),
    ]
    for (let worker = 0; worker < WORKERS; worker += 1) void this.#work()
    void this.#resync()
  }

  /** Looks at the object soon, or after `afterMs`. Does nothing while this process does not lead: whoever does looks at everything anyway. */
  enqueue(key: ObjectKey, { afterMs = 0 }: Readonly<{ afterMs?: number }> = {}): void {
    if (this.#subscriptions) this.#queue.add(keyOf(key), { afterMs })
  }

  /** Takes no more keys; resolves when the passes under way are finished. */
  async stop(): Promise<void> {
    for (const unsubscribe of this.#subscriptions ?? []) unsubscribe()
    await this.#queue.close()
    this.#stop.abort()
  }

  /** Ends the passes under way between two writes. */
  abort(): void {
    this.#stop.abort()
  }

  #enqueuing(keys: (object: KubeObject) => readonly ObjectKey[]): ChangeHandler {
    return (before, after, origin) => {
      const how = origin === 'List' ? IN_NO_HURRY : AT_ONCE
      const now = after ? keys(after).map(keyOf) : []
      for (const key of now) this.#queue.add(key, how)
      for (const key of before ? keys(before).map(keyOf) : []) if (!now.includes(key)) this.#queue.add(key, how)
    }
  }

  async #work(): Promise<void> {
    for (let work = await this.#queue.take(); work; work = await this.#queue.take()) {
      const log = this.#options.log.child({ controller: this.name, object: work.key, reconcileId: this.#options.world.uuid() })
      try {
        await this.#pass(work, log)
      } finally {
        this.#queue.done(work.key)
      }
      await nextTurn() // passes that find nothing to do wait for nothing: thousands of them would hold the event loop
    }
  }

  async #pass(work: Work, log: Log): Promise<void> {
    const { reconcile, world, observer } = this.#options
    const startedMs = world.monotonicMs()
    observer.began()
    const outcome = await reconcile(toKey(work.key), log, this.#stop.signal)
    observer.ended(outcome.result, world.monotonicMs() - startedMs, outcome.result === 'error' ? outcome.class : undefined)
    this.#settle(work, outcome, log)
  }

  /** The outcome table of controller-runtime. */
  #settle({ key, priority }: Work, outcome: Outcome, log: Log): void {
    switch (outcome.result) {
      case 'success':
        return this.#queue.forget(key)
      case 'again':
        this.#queue.forget(key)
        return this.#queue.add(key, { priority, afterMs: outcome.afterMs })
      case 'stale':
        return this.#queue.add(key, { priority, afterMs: outcome.afterMs })
      case 'error':
        report(outcome, log)
        if (outcome.class === 'Terminal') return
        if (outcome.afterMs === undefined) return this.#queue.retry(key, priority)
        return this.#queue.add(key, { priority, afterMs: outcome.afterMs })
    }
  }

  async #resync(): Promise<void> {
    const { world, cache, controller } = this.#options
    while (!this.#stop.signal.aborted) {
      const jitter = 1 + RESYNC_JITTER * (2 * world.random() - 1)
      await world.sleep(RESYNC_MS * jitter, this.#stop.signal).catch(() => undefined) // stopped: the loop ends
      for (const { metadata } of cache.of(controller.type).list()) this.#queue.add(keyOf(metadata), IN_NO_HURRY)
    }
  }
}

function ownerIn(type: ResourceType): (child: KubeObject) => readonly ObjectKey[] {
  return (child) => {
    const key = controllerKeyOf(child, type)
    return key ? [key] : []
  }
}

function report({ error, class: failure }: Extract<Outcome, { result: 'error' }>, log: Log): void {
  if (failure === 'Expected') log.debug({ err: error }, 'reconcile was overtaken')
  else if (failure === 'Terminal') log.error({ err: error }, 'reconcile failed for good; it waits for a change of the object')
  else log.error({ err: error, failure }, 'reconcile failed')
}

function toKey(key: string): ObjectKey {
  const slash = key.indexOf('/')
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}
