import { kindKey, type KubeObject, type ObjectKey, type ResourceType } from '../api/object.ts'
import type { Trim } from '../api/framing.ts'
import type { Client } from '../api/resource.ts'
import type { World } from '../world.ts'
import type { ConsistencyGate, Removals } from './gate.ts'
import { Reflector, type ReflectorReport } from './reflector.ts'
import type { IndexValues } from './store-index.ts'
import { Store, type ChangeHandler } from './store.ts'

export type { ChangeHandler, IndexValues }

const SYNC_TIMEOUT_MS = 120_000 // as controller-runtime: a start that cannot see the cluster should fail loudly
const SYNC_POLL_MS = 20

/** What the cache holds of one kind. Objects are shared: never change them. Never waits, never fails. */
export type Reader<T extends KubeObject> = Readonly<{
  get(key: ObjectKey): T | undefined
  /** In no particular order. */
  list(namespace?: string): readonly T[]
  /** By a named index: `owner` (a uid) always exists. Throws if no such index was declared. */
  by(index: string, value: string): readonly T[]
  /** Whether the first list is complete. */
  synced(): boolean
  /** Seconds since the API server last proved this current by a list, an event or a bookmark. */
  staleSeconds(): number
}>

export type CachedKind = Readonly<{
  type: ResourceType
  /** Absent: all namespaces. */
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  /** Cuts what is not needed out of an object's text before it is parsed, to save time; what is left must be what `project` needs. */
  trim?: Trim
  /** Keeps only what is needed, to save memory; managedFields never stay. Must keep the metadata. */
  project?: (object: KubeObject) => KubeObject
  indexes?: Readonly<Record<string, IndexValues>>
}>

/** What happened inside the cache, for metrics and logs. */
export type CacheEvent = Readonly<{ kind: string }> & (ReflectorReport | HandlerFailed)

type HandlerFailed = Readonly<{ name: 'HandlerFailed'; error: unknown }>

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

type Holding = Readonly<{ type: ResourceType; store: Store; reflector: Reflector; removals: Removals }>

export function createCache(options: CacheOptions): Cache {
  const { world } = options
  const holdings = new Map(options.kinds.map((kind) => [kindKey(kind.type), hold(options, kind)]))
  const all = [...holdings.values()]
  const holding = (type: ResourceType): Holding => {
    const found = holdings.get(kindKey(type))
    if (!found) throw new Error(`${kindKey(type)} is not cached; there are ${[...holdings.keys()].join(', ')}`)
    return found
  }
  return {
    of: (type) => createReader(holding(type)),
    onChange: (type, handler) => holding(type).store.onChange(handler),
    addIndex: (type, name, values) => holding(type).store.addIndex(name, values),
    start: () => all.forEach(({ reflector }) => reflector.start()),
    waitForSync: (signal) => waitForSync(all, world, signal),
    relist: async (types) => {
      await Promise.all((types?.map(holding) ?? all).map(({ reflector }) => reflector.relist()))
    },
    synced: () => all.every(({ reflector }) => reflector.synced()),
    staleSeconds: () => Math.max(0, ...all.map(({ reflector }) => reflector.staleSeconds())),
    stop: async () => {
      await Promise.all(all.map(({ reflector }) => reflector.stop()))
    },
  }
}

function hold({ client, world, gate, freeze, report: tell }: CacheOptions, kind: CachedKind): Holding {
  const { type, project, indexes, ...scope } = kind
  const report = containing((event: ReflectorReport | HandlerFailed) => tell?.({ kind: kindKey(type), ...event }))
  const store = new Store({
    ...(project ? { project } : {}),
    ...(indexes ? { indexes } : {}),
    ...(freeze ? { freeze } : {}),
    failed: (error) => report({ name: 'HandlerFailed', error }),
  })
  store.onChange((before, after) => {
    if (before?.metadata.uid !== undefined && !after) gate.gone(type, before.metadata.uid)
  })
  const reflector = new Reflector({
    type,
    scope,
    client,
    world,
    store,
    observed: (version) => gate.observed(type, version),
    historyReplaced: () => gate.reset(type),
    report,
  })
  return { type, store, reflector, removals: gate.track(type) }
}

/** Counting and logging must not stop what they tell about, and there is nobody else to tell. */
function containing<T>(tell: (event: T) => void): (event: T) => void {
  return (event) => {
    try {
      tell(event)
    } catch {
      // see above
    }
  }
}

/** The one place where stored objects get the type under which they were declared. */
function createReader<T extends KubeObject>({ store, reflector, removals }: Holding): Reader<T> {
  const seen = (object: KubeObject): T => withOwnRemoval(object, removals) as T
  return {
    get: (key) => {
      const object = store.get(key)
      return object && seen(object)
    },
    list: (namespace) => store.list(namespace).map(seen),
    by: (index, value) => store.by(index, value).map(seen),
    synced: () => reflector.synced(),
    staleSeconds: () => reflector.staleSeconds(),
  }
}

/** What we deleted counts as terminating, before the watch has told so. */
function withOwnRemoval(object: KubeObject, removals: Removals): KubeObject {
  const { uid, deletionTimestamp } = object.metadata
  const removal = uid === undefined || deletionTimestamp !== undefined ? undefined : removals.get(uid)
  return removal ? { ...object, metadata: { ...object.metadata, deletionTimestamp: removal.time } } : object
}

async function waitForSync(all: readonly Holding[], world: World, signal?: AbortSignal): Promise<void> {
  const deadlineMs = world.monotonicMs() + SYNC_TIMEOUT_MS
  for (;;) {
    const missing = all.filter(({ reflector }) => !reflector.synced())
    if (missing.length === 0) return
    if (world.monotonicMs() >= deadlineMs) {
      throw new Error(`not listed within ${SYNC_TIMEOUT_MS / 1000} s: ${missing.map(({ type }) => kindKey(type)).join(', ')}; may the operator list them?`)
    }
    await world.sleep(SYNC_POLL_MS, signal)
  }
}
