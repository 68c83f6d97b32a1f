import { ApiError, isExpired, isTooLargeResourceVersion, TransportError } from '../api/errors.ts'
import type { KubeObject, ResourceType } from '../api/object.ts'
import type { WatchEvent } from '../api/answer.ts'
import type { Trim } from '../api/framing.ts'
import type { Client } from '../api/resource.ts'
import type { World } from '../world.ts'
import { Patience } from './patience.ts'
import { isOlder } from './resource-version.ts'
import type { Store } from './store.ts'

const WATCH_SECONDS = 300 // to twice that, by chance: watches that nobody ends die by themselves, not all at once
const IDLE_MS = 150_000 // the server sends a bookmark about once a minute: two and a half missed mean a dead path
const SHORT_WATCH_MS = 1_000 // a server that ends watches at once is not well; resuming at once would hammer it
const ANY_STATE = '0'
const NEWEST_STATE = ''

/** What happened, for metrics and logs. */
export type ReflectorReport = Readonly<{
  name: 'Listed' | 'ListFailed' | 'WatchOpened' | 'WatchClosed' | 'WatchFailed' | 'WentBackwards'
  /** Objects in a completed list. */
  objects?: number
  /** Seconds until the next try. */
  againSeconds?: number
  error?: unknown
}>

export type ReflectorOptions = Readonly<{
  type: ResourceType
  scope?: Readonly<{ namespace?: string; labelSelector?: string; fieldSelector?: string; trim?: Trim }>
  client: Client
  world: World
  store: Store
  /** The store now shows the kind as of this version. */
  observed: (resourceVersion: string) => void
  /** What was observed before says nothing about what comes: the server's history was replaced. */
  historyReplaced: () => void
  report: (report: ReflectorReport) => void
}>

type Demand = Readonly<{ resolve: () => void; reject: (reason: Error) => void }>

/** The server's history is not the one known so far, as after a restored backup. */
class WentBackwards extends Error {
  override readonly name = 'WentBackwards'
}

/**
 * Keeps a store equal to what the server has of one kind: lists once, then watches from where it is. No error stops it
 * and none leaves it: it waits and goes on from the last version it saw, and lists again only if that is the only way.
 */
export class Reflector {
  readonly #options: ReflectorOptions
  readonly #patience: Patience
  #running: Readonly<{ stop: AbortController; ended: Promise<void> }> | undefined
  #position: string | undefined // the store is complete up to here; undefined: only a list can tell
  #newest: string | undefined // the newest version ever seen of this history
  #listFrom = ANY_STATE
  #watchEvents = 0
  #demands: Demand[] = []
  #interruptible: AbortController | undefined
  #isSynced = false
  #provenMs: number

  constructor(options: ReflectorOptions) {
    this.#options = options
    this.#patience = new Patience(options.world)
    this.#provenMs = options.world.monotonicMs()
  }

  /** Has no effect while it runs. */
  start(): void {
    if (this.#running) return
    const stop = new AbortController()
    this.#running = { stop, ended: this.#run(stop.signal) }
  }

  /** Resolves when nothing of it runs any more. The store keeps what it has. */
  async stop(): Promise<void> {
    const running = this.#running
    if (!running) return
    running.stop.abort(new Error('the cache was stopped'))
    await running.ended
    this.#running = undefined
    for (const { reject } of this.#demands.splice(0)) reject(new Error('the cache was stopped'))
  }

  /** Resolves when a list that began after this call, of the newest state, is in the store. */
  relist(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#demands.push({ resolve, reject })
      this.#interruptible?.abort()
    })
  }

  /** Whether one list was ever completed. */
  synced(): boolean {
    return this.#isSynced
  }

  staleSeconds(): number {
    return (this.#options.world.monotonicMs() - this.#provenMs) / 1000
  }

  async #run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      try {
        if (this.#mustList()) await this.#list(stop)
        else await this.#interruptibly(stop, (signal) => this.#follow(signal))
      } catch (error) {
        if (!stop.aborted) await this.#recover(error, stop)
      }
    }
  }

  #mustList(): boolean {
    return this.#position === undefined || this.#demands.length > 0
  }

  async #list(stop: AbortSignal): Promise<void> {
    const { store, report } = this.#options
    const demands = [...this.#demands] // those that come later need a later list
    const from = demands.length > 0 ? NEWEST_STATE : this.#listFrom
    const found = await this.#listPages(from, stop).catch((error: unknown) => {
      if (from === NEWEST_STATE || !(isExpired(error) || isTooLargeResourceVersion(error))) throw error
      this.#listFrom = NEWEST_STATE
    })
    if (!found) return
    if (this.#newest !== undefined && isOlder(found.resourceVersion, this.#newest)) this.#forgetHistory()
    await store.replace(found.objects, stop)
    this.#isSynced = true
    this.#advance(found.resourceVersion)
    report({ name: 'Listed', objects: found.objects.length })
    this.#demands = this.#demands.filter((demand) => !demands.includes(demand))
    for (const { resolve } of demands) resolve()
  }

  async #listPages(from: string, signal: AbortSignal): Promise<Readonly<{ objects: KubeObject[]; resourceVersion: string }>> {
    const { client, type, scope, store } = this.#options
    const objects: KubeObject[] = []
    // Without NotOlderThan a paged list of a given version would mean exactly that version, which may be gone.
    const first = from === NEWEST_STATE ? {} : { resourceVersion: from, resourceVersionMatch: 'NotOlderThan' as const }
    const options = { ...scope, signal, project: (object: KubeObject) => store.prepare(object) }
    let page = await client.list(type, { ...options, ...first })
    for (;;) {
      for (const object of page.items) objects.push(object)
      if (page.continue === undefined) return { objects, resourceVersion: page.resourceVersion }
      page = await client.list(type, { ...options, continue: page.continue })
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { client, type, scope, world, report } = this.#options
    const openedMs = world.monotonicMs()
    this.#watchEvents = 0
    const watch = client.watch(type, {
      ...scope,
      resourceVersion: this.#position ?? NEWEST_STATE,
      timeoutSeconds: Math.floor(WATCH_SECONDS * (1 + world.random())),
      idleMs: IDLE_MS,
      opened: () => report({ name: 'WatchOpened' }),
    }, signal)
    for await (const event of watch) this.#accept(event)
    report({ name: 'WatchClosed' })
    if (this.#watchEvents === 0 && world.monotonicMs() - openedMs < SHORT_WATCH_MS) throw new Error('the watch ended within a second, without an event')
  }

  #accept({ type, object }: WatchEvent): void {
    const { store } = this.#options
    const version = object.metadata.resourceVersion
    if (version === undefined) throw new TransportError('MALFORMED', new Error('a watch event without a resourceVersion'))
    if (this.#position !== undefined && isOlder(version, this.#position)) throw new WentBackwards(`version ${version} after ${this.#position}`)
    if (type === 'DELETED') store.drop(object, 'Watch')
    else if (type !== 'BOOKMARK') store.put(store.prepare(object), 'Watch')
    this.#watchEvents += 1
    this.#advance(version)
  }

  #advance(version: string): void {
    this.#position = version
    this.#newest = version
    this.#listFrom = version
    this.#provenMs = this.#options.world.monotonicMs()
    this.#options.observed(version)
  }

  #forgetHistory(): void {
    this.#position = undefined
    this.#newest = undefined
    this.#listFrom = NEWEST_STATE
    this.#options.historyReplaced()
    this.#options.report({ name: 'WentBackwards' })
  }

  /** Decides where to go on, and waits. */
  async #recover(error: unknown, stop: AbortSignal): Promise<void> {
    const name = this.#mustList() ? 'ListFailed' : 'WatchFailed'
    if (error instanceof WentBackwards) this.#forgetHistory()
    if (isExpired(error) || isTooLargeResourceVersion(error) || this.#wasDeaf(error)) this.#position = undefined
    const retryAfterMs = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0
    const waitMs = Math.max(this.#patience.nextMs(), retryAfterMs)
    this.#options.report({ name, error, againSeconds: waitMs / 1000 })
    await this.#interruptibly(stop, (signal) => this.#options.world.sleep(waitMs, signal)).catch(ignoreStop)
  }

  /** A watch from a version that the server has yet to reach is accepted and stays silent for ever: only a list can tell. */
  #wasDeaf(error: unknown): boolean {
    return error instanceof TransportError && error.fault === 'SILENT' && this.#watchEvents === 0
  }

  /** Runs what a demanded list may cut short. */
  async #interruptibly(stop: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const own = new AbortController()
    this.#interruptible = own
    try {
      await work(AbortSignal.any([stop, own.signal]))
    } catch (error) {
      if (stop.aborted || !own.signal.aborted) throw error
    } finally {
      this.#interruptible = undefined
    }
  }
}

/** The loop sees for itself that it was stopped. */
function ignoreStop(): void {}
