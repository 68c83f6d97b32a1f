import { setImmediate as nextTurn } from 'node:timers/promises'
import { keyOf, type KubeObject, type ObjectKey } from '../api/object.ts'
import { byNamespace, byOwner, StoreIndex, type IndexValues } from './store-index.ts'

const BATCH_OBJECTS = 100 // between two turns of the event loop; a few milliseconds with the handlers of a busy fan-out

/** Told of each change after the store shows it: added (no `before`), changed, or deleted (no `after`). Must only enqueue. */
export type ChangeHandler = (before: KubeObject | undefined, after: KubeObject | undefined, origin: ChangeOrigin) => void

/** `List`: found by a list, as all objects are after a start; `Watch`: happened just now. */
export type ChangeOrigin = 'List' | 'Watch'

export type StoreOptions = Readonly<{
  project?: (object: KubeObject) => KubeObject
  indexes?: Readonly<Record<string, IndexValues>>
  freeze?: 'Deep' | 'Never'
  /** A handler or an index function threw. The store goes on. */
  failed: (error: unknown) => void
}>

/** The objects of one kind by namespace and name. Tells handlers of every difference between two objects it held. */
export class Store {
  readonly #options: StoreOptions
  readonly #objects = new Map<string, KubeObject>()
  readonly #indexes = new Map<string, StoreIndex>()
  readonly #handlers = new Set<ChangeHandler>()

  constructor(options: StoreOptions) {
    this.#options = options
    this.addIndex('namespace', byNamespace)
    this.addIndex('owner', byOwner)
    for (const [name, values] of Object.entries(options.indexes ?? {})) this.addIndex(name, values)
  }

  get(key: ObjectKey): KubeObject | undefined {
    return this.#objects.get(keyOf(key))
  }

  list(namespace?: string): readonly KubeObject[] {
    return namespace === undefined ? [...this.#objects.values()] : this.by('namespace', namespace)
  }

  /** Throws if there is no such index. */
  by(index: string, value: string): readonly KubeObject[] {
    const found = this.#indexes.get(index)
    if (!found) throw new Error(`no index '${index}' here; there are ${[...this.#indexes.keys()].join(', ')}`)
    return found.find(value)
  }

  /** A late index is filled from what is there. */
  addIndex(name: string, values: IndexValues): void {
    if (this.#indexes.has(name)) throw new Error(`the index '${name}' exists already`)
    const index = new StoreIndex(values)
    this.#indexes.set(name, index)
    for (const [key, object] of this.#objects) this.#contain(() => index.change(key, undefined, object))
  }

  /** A late handler is told of what is there. Returns what ends it. */
  onChange(handler: ChangeHandler): () => void {
    for (const object of this.#objects.values()) this.#contain(() => handler(undefined, object, 'List'))
    this.#handlers.add(handler)
    return () => void this.#handlers.delete(handler)
  }

  /** The object as it will be kept: what is never looked at costs memory. One that is kept already stays the same object, so that a list of all does not keep all twice. */
  prepare(object: KubeObject): KubeObject {
    const held = this.#objects.get(keyOf(object.metadata))
    if (held && isSameVersion(held, object)) return held
    const { managedFields: _dropped, ...metadata } = object.metadata as KubeObject['metadata'] & { managedFields?: unknown }
    const slim = { ...object, metadata }
    const kept = this.#options.project?.(slim) ?? slim
    return this.#options.freeze === 'Deep' ? freezeDeep(kept) : kept
  }

  /** Takes a prepared object. Another object of the same name shows as a deletion and an addition. */
  put(object: KubeObject, origin: ChangeOrigin): void {
    const key = keyOf(object.metadata)
    const before = this.#objects.get(key)
    if (before && isSameVersion(before, object)) return
    const isAnother = before !== undefined && before.metadata.uid !== object.metadata.uid
    if (isAnother) this.#change(key, before, undefined, origin)
    this.#change(key, isAnother ? undefined : before, object, origin)
  }

  /** Forgets the object, unless the name already belongs to another. */
  drop(object: KubeObject, origin: ChangeOrigin): void {
    const key = keyOf(object.metadata)
    const before = this.#objects.get(key)
    if (before && before.metadata.uid === object.metadata.uid) this.#change(key, before, undefined, origin)
  }

  /** Brings the store to exactly these prepared objects, a batch at a time. */
  async replace(objects: readonly KubeObject[], signal: AbortSignal): Promise<void> {
    const present = new Set<string>()
    for (const [at, object] of objects.entries()) {
      if (at % BATCH_OBJECTS === 0) await breathe(signal)
      present.add(keyOf(object.metadata))
      this.put(object, 'List')
    }
    for (const object of this.#objects.values()) {
      if (!present.has(keyOf(object.metadata))) this.drop(object, 'List')
    }
  }

  #change(key: string, before: KubeObject | undefined, after: KubeObject | undefined, origin: ChangeOrigin): void {
    if (after) this.#objects.set(key, after)
    else this.#objects.delete(key)
    for (const index of this.#indexes.values()) this.#contain(() => index.change(key, before, after))
    for (const handler of this.#handlers) this.#contain(() => handler(before, after, origin))
  }

  #contain(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#options.failed(error)
    }
  }
}

function isSameVersion({ metadata: one }: KubeObject, { metadata: other }: KubeObject): boolean {
  return one.uid === other.uid && one.resourceVersion === other.resourceVersion
}

async function breathe(signal: AbortSignal): Promise<void> {
  await nextTurn()
  signal.throwIfAborted()
}

function freezeDeep<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const inner of Object.values(value)) freezeDeep(inner)
  return Object.freeze(value)
}
