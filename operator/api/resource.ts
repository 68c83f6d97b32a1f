import type { World } from '../world.ts'
import { asItem, asList, asObject, asWatchEvent, writtenBy, type WatchEvent, type Written } from './answer.ts'
import { AppliedIntents, hashIntent, toIntent, toStatusIntent } from './apply.ts'
import { isConflict, isNotFound } from './errors.ts'
import { lineFraming, listFraming, type Trim } from './framing.ts'
import type { KubeObject, ObjectKey, ResourceType } from './object.ts'
import { collectionCall, target } from './target.ts'
import type { Transport, TransportRequest } from './transport.ts'

const LIST_DEADLINE_MS = 60_000 // a page of large objects from a busy etcd; a reflector has nothing better to do than wait
const PAGE_OBJECTS = 500 // client-go's: keeps a page to a few megabytes
const WATCH_OVERTIME_MS = 5_000 // the server ends a watch itself; if it does not, the connection is dead

export type ListOptions<T extends KubeObject> = Readonly<{
  /** Absent: all namespaces. */
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  /** Objects per page; the server ignores it where it answers from its watch cache (`resourceVersion` `0`). */
  limit?: number
  continue?: string
  /** `0`: any state the server has at hand; absent or empty: the newest; else at least that new. */
  resourceVersion?: string
  resourceVersionMatch?: 'Exact' | 'NotOlderThan'
  /** Cuts what is not needed out of each object's text, before it is parsed. */
  trim?: Trim
  /** Applied to each object as it arrives, so that a long list never lies in memory whole. */
  project?: (object: T) => T
  signal?: AbortSignal
}>

export type ListPage<T extends KubeObject> = Readonly<{ items: T[]; resourceVersion: string; continue?: string }>

export type WatchOptions = Readonly<{
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  /** The state after which events are wanted. */
  resourceVersion: string
  /** When the server should end the watch; five seconds later this side does. */
  timeoutSeconds: number
  /** Without a byte for this long the watch counts as dead. */
  idleMs: number
  /** Cuts what is not needed out of each event's text, before it is parsed. */
  trim?: Trim
  /** Called when the server has accepted the watch. */
  opened?: () => void
}>

export type ApplyOptions = Readonly<{
  fieldManager: string
  /** The object as the cache shows it: with it, an intent already applied to exactly this state sends nothing. */
  live?: KubeObject
}>

export type PatchBody = Readonly<{
  contentType: 'application/merge-patch+json' | 'application/json-patch+json' | 'application/strategic-merge-patch+json'
  body: unknown
  subresource?: string
  fieldManager?: string
}>

export type RemoveOptions = Readonly<{
  /** This very object and no successor of the same name. */
  uid?: string
  resourceVersion?: string
  /** Default: `Background`. */
  propagation?: 'Background' | 'Foreground' | 'Orphan'
  /** Absent: the object's own. */
  gracePeriodSeconds?: number
}>

/**
 * The API server by kind. Every call has a deadline (10 s; 60 s for a list) and rejects with ApiError, TransportError,
 * or with whatever the write fence throws.
 */
export type Client = Readonly<{
  /** Undefined if there is no such object. */
  get<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, signal?: AbortSignal): Promise<T | undefined>
  list<T extends KubeObject>(type: ResourceType<T>, options?: ListOptions<T>): Promise<ListPage<T>>
  /** Ends when the server ends it; throws on anything that is not a clean end. */
  watch<T extends KubeObject>(type: ResourceType<T>, options: WatchOptions, signal: AbortSignal): AsyncIterable<WatchEvent<T>>
  create<T extends KubeObject>(type: ResourceType<T>, object: KubeObject): Promise<T>
  /** Creates it where the answer is of no use: of thousands of pods it would be sent and parsed for nothing. */
  submit(type: ResourceType, object: KubeObject): Promise<void>
  /** Server-side apply with force. `metadata.uid` in the intent means: this very object or a conflict. */
  apply<T extends KubeObject>(type: ResourceType<T>, intent: KubeObject, options: ApplyOptions): Promise<T>
  /** Server-side apply of `/status`. Only `metadata.resourceVersion` guards it; a uid is ignored by the server there. */
  applyStatus<T extends KubeObject>(type: ResourceType<T>, intent: KubeObject, options: ApplyOptions): Promise<T>
  patch<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, patch: PatchBody): Promise<T>
  /** Asks for deletion; an object that is gone already counts as removed. */
  remove(type: ResourceType, key: ObjectKey, options?: RemoveOptions): Promise<void>
  /** A call that stores nothing, such as a TokenReview: not fenced. Give the collection's path; answers with the body. */
  post(path: string, body: unknown): Promise<unknown>
}>

export type ClientHooks = Readonly<{
  /** Called right before every write leaves; throws when this process may no longer write. */
  mayWrite?: () => void
  /** Called after every write that succeeded, before its promise resolves. */
  onWrite?: (written: Written) => void
}>

export type ClientOptions = ClientHooks & Readonly<{ world: World }>

/** Two clients may share a transport: one behind the write fence, one before it for what standbys do too. */
export function createClient(transport: Transport, options: ClientOptions): Client {
  const context: Context = { transport, applied: new AppliedIntents(options.world), ...options }
  return {
    get: (type, key, signal) => get(context, type, key, signal),
    list: (type, listOptions = {}) => list(context, type, listOptions),
    watch: (type, watchOptions, signal) => watch(context, type, { ...watchOptions, signal }),
    create: (type, object) => create(context, type, object),
    submit: (type, object) => submit(context, type, object),
    apply: (type, intent, applyOptions) => apply(context, type, toIntent(intent), applyOptions),
    applyStatus: (type, intent, applyOptions) => apply(context, type, toStatusIntent(intent), { ...applyOptions, subresource: 'status' }),
    patch: (type, key, patchBody) => patch(context, type, key, patchBody),
    remove: (type, key, removeOptions = {}) => remove(context, type, key, removeOptions),
    post: (path, body) => post(context, path, body),
  }
}

type Context = ClientHooks & Readonly<{ transport: Transport; applied: AppliedIntents }>

async function get<T extends KubeObject>(context: Context, type: ResourceType<T>, key: ObjectKey, signal?: AbortSignal): Promise<T | undefined> {
  try {
    return asObject(await context.transport.request({ ...target('get', type, key), method: 'GET', signal }))
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

async function list<T extends KubeObject>(context: Context, type: ResourceType<T>, options: ListOptions<T>): Promise<ListPage<T>> {
  const { namespace, signal, trim, project = (object: T) => object, ...query } = options
  const request = { ...target('list', type, { namespace }), method: 'GET', deadlineMs: LIST_DEADLINE_MS, signal } as const
  const values = context.transport.stream({ ...request, query: { limit: PAGE_OBJECTS, ...query }, framing: listFraming({ trim }) })
  const items: T[] = []
  let held: unknown // one behind, because the last value is not an item but the list itself
  for await (const value of values) {
    if (held !== undefined) items.push(project(asItem(type, held)))
    held = value
  }
  const { metadata, items: rest } = asList(held)
  for (const item of rest ?? []) items.push(project(asItem(type, item)))
  return { items, resourceVersion: metadata.resourceVersion ?? '', ...(metadata.continue ? { continue: metadata.continue } : {}) }
}

type WatchCall = WatchOptions & Readonly<{ signal: AbortSignal }>

async function* watch<T extends KubeObject>(context: Context, type: ResourceType<T>, options: WatchCall): AsyncGenerator<WatchEvent<T>> {
  const { namespace, signal, idleMs, opened, trim, ...query } = options
  const values = context.transport.stream({
    ...target('watch', type, { namespace }),
    method: 'GET',
    query: { ...query, watch: true, allowWatchBookmarks: true },
    framing: lineFraming({ trim }),
    deadlineMs: options.timeoutSeconds * 1000 + WATCH_OVERTIME_MS,
    idleMs,
    opened,
    signal,
  })
  for await (const value of values) yield asWatchEvent(value)
}

async function create<T extends KubeObject>(context: Context, type: ResourceType<T>, object: KubeObject): Promise<T> {
  const { namespace } = object.metadata
  return write<T>(context, type, { ...target('create', type, { namespace }), method: 'POST', body: object })
}

async function submit(context: Context, type: ResourceType, object: KubeObject): Promise<void> {
  const { namespace } = object.metadata
  await writeUnread(context, type, { ...target('create', type, { namespace }), method: 'POST', body: object })
}

type ApplyCall = ApplyOptions & Readonly<{ subresource?: string }>

async function apply<T extends KubeObject>(context: Context, type: ResourceType<T>, intent: KubeObject, options: ApplyCall): Promise<T> {
  const { fieldManager, live, subresource } = options
  const hash = hashIntent(intent, `${fieldManager}/${subresource ?? ''}`)
  if (live && context.applied.has(hash, live)) return asObject(live)
  const result = await write<T>(context, type, {
    ...target('patch', type, intent.metadata, subresource),
    method: 'PATCH',
    query: { fieldManager, force: true },
    contentType: 'application/apply-patch+yaml', // JSON is YAML
    body: intent,
  })
  context.applied.add(hash, result)
  return result
}

async function patch<T extends KubeObject>(context: Context, type: ResourceType<T>, key: ObjectKey, options: PatchBody): Promise<T> {
  const { contentType, body, subresource, fieldManager } = options
  return write<T>(context, type, { ...target('patch', type, key, subresource), method: 'PATCH', query: { fieldManager }, contentType, body })
}

async function remove(context: Context, type: ResourceType, key: ObjectKey, options: RemoveOptions): Promise<void> {
  const { uid, resourceVersion, gracePeriodSeconds, propagation = 'Background' } = options
  const preconditions = uid === undefined && resourceVersion === undefined ? {} : { preconditions: { uid, resourceVersion } }
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: propagation, gracePeriodSeconds, ...preconditions }
  try {
    await writeUnread(context, type, { ...target('delete', type, key), method: 'DELETE', body })
  } catch (error) {
    if (!isNotFound(error) && !(await isSuccessor(context, type, key, { uid, error }))) throw error
    if (uid !== undefined) context.onWrite?.({ type, deletedUid: uid })
  }
}

/** A conflict on a uid may mean that another object has taken the name: the one meant is gone. */
async function isSuccessor(context: Context, type: ResourceType, key: ObjectKey, { uid, error }: { uid: string | undefined; error: unknown }): Promise<boolean> {
  if (uid === undefined || !isConflict(error)) return false
  return (await get(context, type, key))?.metadata.uid !== uid
}

async function post({ transport }: Context, path: string, body: unknown): Promise<unknown> {
  return transport.request({ method: 'POST', path, body, call: collectionCall('create', path) })
}

async function write<T extends KubeObject>(context: Context, type: ResourceType<T>, request: TransportRequest): Promise<T> {
  const { mayWrite } = context
  const answer = asObject<T>(await context.transport.request({ ...request, ...(mayWrite ? { mayWrite } : {}) }))
  context.onWrite?.(writtenBy(type, answer))
  return answer
}

/** What was written is of interest to nobody but the hook. */
async function writeUnread({ transport, mayWrite, onWrite }: Context, type: ResourceType, request: TransportRequest): Promise<void> {
  const answer = await transport.request({ ...request, answer: onWrite ? 'Metadata' : 'Nothing', ...(mayWrite ? { mayWrite } : {}) })
  onWrite?.(writtenBy(type, answer))
}
