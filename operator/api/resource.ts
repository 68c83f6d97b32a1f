import type { KubeObject, ObjectKey, ResourceType } from './object.ts'

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
  /** Called when the server has accepted the watch. */
  opened?: () => void
}>

/** One line of a watch, as the server sends it: `type` may be one this version does not know. */
export type WatchEvent<T extends KubeObject = KubeObject> = Readonly<{ type: string; object: T }>

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

/** A write that succeeded, for whoever must not read anything older. */
export type Written = Readonly<{
  type: ResourceType
  /** Absent where the answer carries none, as for most deletions. */
  resourceVersion?: string
  /** The object that this write deleted, or found being deleted. */
  deletedUid?: string
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
