import { ApiError, isNotFound } from '../api/errors.ts'
import { refOf, resourceType, type KubeObject, type ObjectRef } from '../api/object.ts'
import type { Client } from '../api/resource.ts'
import type { EventIntent } from '../control/plan.ts'
import { canonicalJson } from '../meta/hash.ts'
import { boundedName } from '../meta/names.ts'
import { toMicroTime } from '../meta/time.ts'
import type { World } from '../world.ts'
import type { Log } from './log.ts'

const MAX_WAITING = 1_000 // client-go's queue; beyond it the newest is dropped, for the first ones say what began
const MAX_TRIES = 12
const RETRY_MS = 10_000
const RETRY_JITTER = 0.25
const HEARTBEAT_MS = 1_800_000 // a series that goes on is written every 30 min, however often it repeats
const QUIET_MS = 360_000 // a series without a repeat for 6 min is over; the next one is a new event
const SWEEP_MS = 60_000
const MAX_NOTE_BYTES = 1_024 // of events.k8s.io/v1, as are the next two
const ELLIPSIS = '…'
const MAX_NAME_LENGTH = 253
const UNIQUE_DIGITS = 16

export type Event = KubeObject &
  Readonly<{
    eventTime: string
    reportingController: string
    reportingInstance: string
    type: string
    reason: string
    action: string
    note: string
    regarding: ObjectRef
    related?: ObjectRef
    series?: Readonly<{ count: number; lastObservedTime: string }>
  }>

export const EventType = resourceType<Event>({ apiVersion: 'events.k8s.io/v1', kind: 'Event', plural: 'events', scope: 'Namespaced' })

export type EventRecorderOptions = Readonly<{
  client: Pick<Client, 'create' | 'patch'>
  world: World
  log: Log
  /** The name of this operator, and of this replica of it. */
  reporter: Readonly<{ controller: string; instance: string }>
  dropped?: () => void
}>

/** One event and how often it was repeated; `written` is the count the API server knows. */
type Series = { readonly event: Event; count: number; written: number; lastTime: string; lastMs: number; lastWriteMs: number }

/** Records events as series, in the background: neither a slow nor a refusing API server holds up a reconcile. */
export class EventRecorder {
  readonly #options: EventRecorderOptions
  readonly #series = new Map<string, Series>()
  readonly #waiting = new Set<Series>()
  readonly #stop = new AbortController()
  #sending: Promise<void> | undefined
  #sweeping = false

  constructor(options: EventRecorderOptions) {
    this.#options = options
  }

  /** Never throws, never waits. */
  record(regarding: KubeObject, intent: EventIntent): void {
    const nowMs = this.#options.world.monotonicMs()
    const event = this.#build(regarding, intent)
    const identity = canonicalJson([event.type, event.action, event.reason, event.regarding, event.related])
    const series = this.#series.get(identity)
    if (series && nowMs - series.lastMs <= QUIET_MS) return this.#repeat(series, event.eventTime)
    const first = { event, count: 1, written: 0, lastTime: event.eventTime, lastMs: nowMs, lastWriteMs: nowMs }
    if (this.#write(first)) this.#series.set(identity, first)
    void this.#sweep()
  }

  /** Writes what is still waiting, without retries, in at most `limitMs`. Nothing can be recorded afterwards. */
  async flush(limitMs: number): Promise<void> {
    for (const series of this.#series.values()) if (isBehind(series)) this.#write(series)
    const limit = new AbortController()
    this.#stop.abort()
    await Promise.race([this.#sending, this.#options.world.sleep(limitMs, limit.signal).catch(() => undefined)]) // aborted: all sent
    limit.abort()
    this.#waiting.clear()
  }

  #build(regarding: KubeObject, { type, reason, action, note, related }: EventIntent): Event {
    const { world, reporter } = this.#options
    const unique = world.uuid().replaceAll('-', '').slice(-UNIQUE_DIGITS)
    const name = `${boundedName(regarding.metadata.name, MAX_NAME_LENGTH - UNIQUE_DIGITS - 1)}.${unique}`
    return {
      apiVersion: EventType.apiVersion,
      kind: EventType.kind,
      metadata: { name, namespace: regarding.metadata.namespace ?? 'default' },
      eventTime: toMicroTime(world.now()),
      reportingController: reporter.controller,
      reportingInstance: reporter.instance,
      type,
      reason,
      action,
      note: cut(note),
      regarding: refOf(regarding),
      ...(related === undefined ? {} : { related }),
    }
  }

  /** The first repeat makes it a series at once; later ones only count until the next heartbeat. */
  #repeat(series: Series, time: string): void {
    series.count += 1
    series.lastTime = time
    series.lastMs = this.#options.world.monotonicMs()
    if (series.count === 2) this.#write(series)
  }

  #write(series: Series): boolean {
    if (this.#waiting.has(series)) return true
    if (this.#waiting.size >= MAX_WAITING || this.#stop.signal.aborted) {
      this.#options.dropped?.()
      return false
    }
    this.#waiting.add(series)
    this.#sending ??= this.#sendAll()
    return true
  }

  async #sendAll(): Promise<void> {
    await Promise.resolve() // the caller goes on first
    for (const series of this.#waiting) {
      await this.#send(series)
      this.#waiting.delete(series)
    }
    this.#sending = undefined
  }

  async #send(series: Series): Promise<void> {
    const { world, log, dropped } = this.#options
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#put(series)
      } catch (error) {
        if (tries >= MAX_TRIES || !isWorthAnotherTry(error) || this.#stop.signal.aborted) {
          dropped?.()
          return log.debug({ err: error, reason: series.event.reason, tries }, 'an event could not be recorded')
        }
        const jitter = 1 + RETRY_JITTER * (2 * world.random() - 1)
        await world.sleep(RETRY_MS * jitter, this.#stop.signal).catch(() => undefined) // flushing: one last try
      }
    }
  }

  async #put(series: Series): Promise<void> {
    const { client, world } = this.#options
    const { count, event } = series
    const repeated = count > 1 ? { series: { count, lastObservedTime: series.lastTime } } : {}
    if (series.written === 0) await client.create(EventType, { ...event, ...repeated })
    else await this.#patch({ ...event, ...repeated })
    series.written = count
    series.lastWriteMs = world.monotonicMs()
    if (series.count > 1 && count === 1) await this.#put(series) // the first repeat came while the event was being created
  }

  async #patch(event: Event): Promise<void> {
    const body = { series: event.series }
    try {
      await this.#options.client.patch(EventType, event.metadata, { contentType: 'application/merge-patch+json', body })
    } catch (error) {
      if (!isNotFound(error)) throw error // its hour of life is over: write it anew
      await this.#options.client.create(EventType, event)
    }
  }

  /** While there are series: closes the quiet ones, and writes how far the others have counted. */
  async #sweep(): Promise<void> {
    if (this.#sweeping) return
    this.#sweeping = true
    const { world } = this.#options
    while (this.#series.size > 0 && !this.#stop.signal.aborted) {
      await world.sleep(SWEEP_MS, this.#stop.signal).catch(() => undefined) // flushing: the loop ends
      const nowMs = world.monotonicMs()
      for (const [identity, series] of this.#series) {
        const isOver = nowMs - series.lastMs > QUIET_MS
        if (isBehind(series) && (isOver || nowMs - series.lastWriteMs >= HEARTBEAT_MS)) this.#write(series)
        if (isOver) this.#series.delete(identity)
      }
    }
    this.#sweeping = false
  }
}

/** The API server counts bytes, and refuses the whole event beyond them. */
function cut(note: string): string {
  const bytes = Buffer.from(note)
  if (bytes.length <= MAX_NOTE_BYTES) return note
  const start = bytes.subarray(0, MAX_NOTE_BYTES - Buffer.byteLength(ELLIPSIS))
  return new TextDecoder().decode(start, { stream: true }) + ELLIPSIS // as a stream: without the half of a character at its end
}

/** Whether repeats are counted that the API server does not know of. */
function isBehind({ count, written }: Series): boolean {
  return count > Math.max(written, 1)
}

/** A refusal stays a refusal, such as in a namespace that is going away; trouble may pass. */
function isWorthAnotherTry(error: unknown): boolean {
  return !(error instanceof ApiError) || error.code === 429 || error.code >= 500
}
