import type { KubeObject } from '../api/object.ts'

/** Values under which an index finds an object. */
export type IndexValues = (object: KubeObject) => readonly string[]

/** Finds objects by values taken from them. Given every change of its store, it is exact at all times. */
export class StoreIndex {
  readonly #values: IndexValues
  readonly #buckets = new Map<string, Map<string, KubeObject>>()

  constructor(values: IndexValues) {
    this.#values = values
  }

  /** Throws what the index function throws, before anything is changed. */
  change(key: string, before: KubeObject | undefined, after: KubeObject | undefined): void {
    const added = after ? this.#values(after) : []
    for (const value of before ? this.#values(before) : []) this.#take(value, key)
    for (const value of added) this.#put(value, key, after)
  }

  find(value: string): readonly KubeObject[] {
    return [...(this.#buckets.get(value)?.values() ?? [])]
  }

  #put(value: string, key: string, object: KubeObject | undefined): void {
    const bucket = this.#buckets.get(value) ?? new Map<string, KubeObject>()
    this.#buckets.set(value, bucket)
    if (object) bucket.set(key, object)
  }

  #take(value: string, key: string): void {
    const bucket = this.#buckets.get(value)
    bucket?.delete(key)
    if (bucket?.size === 0) this.#buckets.delete(value)
  }
}

/** Everything that names the object as an owner, by the owner's uid. */
export const byOwner: IndexValues = ({ metadata }) => metadata.ownerReferences?.map(({ uid }) => uid) ?? []

export const byNamespace: IndexValues = ({ metadata }) => (metadata.namespace === undefined ? [] : [metadata.namespace])
