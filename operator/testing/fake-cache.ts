import { keyOf, kindKey, type KubeObject, type ResourceType } from '../api/object.ts'
import type { Cache, ChangeHandler, Reader } from '../cache/cache.ts'
import type { ConsistencyGate } from '../cache/gate.ts'
import type { FakeApiServer } from './fake-api-server.ts'

type Change = Readonly<{ before: KubeObject | undefined; after: KubeObject | undefined }>

/** A cache that follows a FakeApiServer at once, unless it is told to lag behind. */
export class FakeCache implements Cache {
  readonly #objects = new Map<string, KubeObject>()
  readonly #handlers: { kind: string; handler: ChangeHandler }[] = []
  readonly #late: Change[] = []
  readonly #gate: ConsistencyGate | undefined
  #lags = false

  constructor(server: FakeApiServer, gate?: ConsistencyGate) {
    this.#gate = gate
    server.watch((before, after) => {
      this.#late.push({ before, after })
      if (!this.#lags) this.catchUp()
    })
  }

  /** From now on the cache shows the past. */
  lag(): void {
    this.#lags = true
  }

  catchUp(): void {
    this.#lags = false
    for (const { before, after } of this.#late.splice(0)) this.#change(before, after)
  }

  of<T extends KubeObject>(type: ResourceType<T>): Reader<T> {
    const kind = kindKey(type)
    const list = (): readonly T[] => [...this.#objects.values()].filter((object): object is T => kindKey(object) === kind)
    return {
      get: (key) => list().find((object) => keyOf(object.metadata) === keyOf(key)),
      list: (namespace) => list().filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace),
      by: (index, value) => {
        if (index !== 'owner') throw new Error(`no index ${index}`)
        return list().filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === value))
      },
      synced: () => true,
      staleSeconds: () => 0,
    }
  }

  onChange(type: ResourceType, handler: ChangeHandler): () => void {
    const entry = { kind: kindKey(type), handler }
    for (const object of this.of(type).list()) handler(undefined, object, 'List')
    this.#handlers.push(entry)
    return () => void this.#handlers.splice(this.#handlers.indexOf(entry), 1)
  }

  addIndex(): void {
    throw new Error('the fake cache only has the index owner')
  }

  start(): void {}

  async waitForSync(): Promise<void> {}

  async relist(): Promise<void> {
    this.catchUp()
  }

  synced(): boolean {
    return true
  }

  staleSeconds(): number {
    return 0
  }

  async stop(): Promise<void> {}

  #change(before: KubeObject | undefined, after: KubeObject | undefined): void {
    const object = after ?? before
    if (!object) return
    const id = `${kindKey(object)} ${keyOf(object.metadata)}`
    if (after) this.#objects.set(id, after)
    else this.#objects.delete(id)
    this.#gate?.observed({ ...object, plural: '', scope: 'Namespaced' }, object.metadata.resourceVersion ?? '')
    for (const { kind, handler } of this.#handlers.slice()) if (kind === kindKey(object)) handler(before, after, 'Watch')
  }
}
