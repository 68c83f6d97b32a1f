import { TransportError } from './errors.ts'
import type { KubeObject, ResourceType } from './object.ts'
import { isStatus, toApiError } from './retry.ts'

/** What happened to an object; a `BOOKMARK` carries nothing but its resourceVersion. */
export type WatchEvent<T extends KubeObject = KubeObject> = Readonly<{ type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: T }>

/** A write that succeeded, for whoever must not read anything older. */
export type Written = Readonly<{
  type: ResourceType
  /** Absent where the answer carries none, as for most deletions. */
  resourceVersion?: string
  /** The object that this write deleted, or found being deleted. */
  deletedUid?: string
}>

const EVENT_TYPES: readonly unknown[] = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'] satisfies WatchEvent['type'][]

/** The answer as an object of the kind asked for. The server validated it; only its outline is checked here. */
export function asObject<T extends KubeObject>(answer: unknown): T {
  if (!isObject(answer) || !isObject(answer['metadata'])) throw new TransportError('MALFORMED', new Error('not a Kubernetes object'))
  return answer as T
}

/** Items of built-in lists do not say what they are. */
export function asItem<T extends KubeObject>(type: ResourceType<T>, item: unknown): T {
  return asObject({ apiVersion: type.apiVersion, kind: type.kind, ...(isObject(item) ? item : {}) })
}

type List = Readonly<{ metadata: Readonly<{ resourceVersion?: string; continue?: string }>; items?: readonly unknown[] | null }>

export function asList(answer: unknown): List {
  return asObject<KubeObject & List>(answer)
}

/** A line of a watch. An ERROR line is thrown as the ApiError it carries. */
export function asWatchEvent<T extends KubeObject>(line: unknown): WatchEvent<T> {
  if (!isObject(line)) throw new TransportError('MALFORMED', new Error('not a watch event'))
  const { type, object } = line
  if (type === 'ERROR') throw toApiError(isStatus(object) ? object : {}, { code: 500, text: 'the watch failed without saying why' })
  if (!isEventType(type)) throw new TransportError('MALFORMED', new Error(`unknown watch event type ${JSON.stringify(type)}`))
  return { type, object: asObject<T>(object) }
}

function isEventType(type: unknown): type is WatchEvent['type'] {
  return EVENT_TYPES.includes(type)
}

/** What a successful write tells about the state it made. */
export function writtenBy(type: ResourceType, answer: unknown): Written {
  if (isStatus(answer)) return { type, ...(answer.details?.uid ? { deletedUid: answer.details.uid } : {}) }
  const { resourceVersion, uid, deletionTimestamp } = asObject<KubeObject>(answer).metadata
  return {
    type,
    ...(resourceVersion ? { resourceVersion } : {}),
    ...(deletionTimestamp !== undefined && uid ? { deletedUid: uid } : {}),
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
