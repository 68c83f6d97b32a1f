import type { KubeObject, ObjectKey, ResourceType } from '../api/object.ts'
import type { Client } from '../api/resource.ts'
import type { World } from '../world.ts'
import type { ConsistencyGate } from './gate.ts'

/** What the cache holds of one kind. Objects are shared: never change them. Never waits, never fails. */
export type Reader<T extends KubeObject> = Readonly<{
  get(key: ObjectKey): T | undefined
  /** In no particular order. */
  list(namespace?: string): readonly T[]
  /** By a named index: `owner` (a uid) always exists. Throws if no such index was declared. */
  by(index: string, value: string): readonly T[]
  /** Whether the first list is complete. */
  synced(): boolean
  /** Seconds since the API server last proved this current by a list, an event, a bookmark or an accepted watch. */
  staleSeconds(): number
}>

/** Values under which an index finds an object. */
export type IndexValues = (object: KubeObject) => readonly string[]

/** Told of each change after the cache shows it: added (no `before`), changed, or deleted (no `after`). Must only enqueue. */
export type ChangeHandler = (before: KubeObject | undefined, after: KubeObject | undefined, origin: ChangeOrigin) => void

/** `List`: found by a list, as all objects are after a start; `Watch`: happened just now. */
export type ChangeOrigin = 'List' | 'Watch'

export type CachedKind = Readonly<{
  type: ResourceType
  /** Absent: all namespaces. */
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  /** Keeps only what is needed, to save memory; managedFields never stay. Must keep the metadata. */
  project?: (object: KubeObject) => KubeObject
  indexes?: Readonly<Record<string, IndexValues>>
}>

/** What happened inside the cache, for metrics and logs. */
export type CacheEvent = Readonly<{
  kind: string
  name: 'Listed' | 'ListFailed' | 'WatchOpened' | 'WatchClosed' | 'WatchFailed' | 'WentBackwards' | 'HandlerFailed'
  /** Objects in a completed list. */
  objects?: number
  /** Seconds until the next try. */
  againSeconds?: number
  error?: unknown
}>

export type CacheOptions = Readonly<{
  client: Client
  world: World
  gate: ConsistencyGate
  kinds: readonly CachedKind[]
  report?: (event: CacheEvent) => void
  /** `Deep` makes writing to a cached object throw: for tests, as it costs time on each event. */
  freeze?: 'Deep' | 'Never'
}>

/** Local copies of the kinds the operator works with, kept current until stopped. */
export type Cache = Readonly<{
  /** Throws if the kind is not cached. */
  of<T extends KubeObject>(type: ResourceType<T>): Reader<T>
  /** A late handler is told of all present objects at once, as added by `List`. Returns what ends it. */
  onChange(type: ResourceType, handler: ChangeHandler): () => void
  /** A late index is filled from the present objects. */
  addIndex(type: ResourceType, name: string, values: IndexValues): void
  start(): void
  /** Resolves once every kind is listed; rejects naming those that are not after two minutes. */
  waitForSync(signal?: AbortSignal): Promise<void>
  /** Lists these kinds (absent: all) anew and consistently: resolves when a predecessor's last writes are seen. */
  relist(types?: readonly ResourceType[]): Promise<void>
  synced(): boolean
  /** Of the kind worst off. */
  staleSeconds(): number
  stop(): Promise<void>
}>
