import { ApiError } from '../api/errors.ts'
import { keyOf, kindKey, type KubeObject, type ObjectKey, type ObjectRef, type ResourceType } from '../api/object.ts'
import type { Client, ClientHooks, PatchBody } from '../api/resource.ts'
import { sameJson } from '../meta/hash.ts'
import { toSeconds } from '../meta/time.ts'
import type { World } from '../world.ts'

type Stored = KubeObject & { status?: unknown; spec?: unknown }
type Watcher = (before: Stored | undefined, after: Stored | undefined) => void

/** The process behind a connection is gone: nothing it asks for is answered any more. */
export class ProcessDied extends Error {
  override readonly name = 'ProcessDied'
}

/** Where a process dies, counted in its own writes. `Before`: the last write is not carried out; `After`: it is, unanswered. */
export type Death = Readonly<{ atWrite: number; moment: 'Before' | 'After' }>

/**
 * The rules of the API server that a plan depends on, in memory: names are unique, versions grow, preconditions hold,
 * a finalizer delays a deletion, dependents follow their owner. Ownership of single fields is not modelled.
 */
export class FakeApiServer {
  /** Every write that was carried out, such as `create Job default/a`. */
  readonly writes: string[] = []
  readonly #world: World
  readonly #objects = new Map<string, Stored>()
  readonly #watchers = new Set<Watcher>()
  #version = 0

  constructor(world: World) {
    this.#world = world
  }

  /** A process connects; with `death`, it dies at that write. */
  connect(hooks: ClientHooks = {}, death?: Death): Client {
    return new FakeConnection(this, hooks, death).client()
  }

  all(): readonly Stored[] {
    return [...this.#objects.values()]
  }

  find(of: ObjectRef | KubeObject): Stored | undefined {
    return this.#objects.get(idOf(of))
  }

  watch(watcher: Watcher): void {
    for (const object of this.all()) watcher(undefined, object)
    this.#watchers.add(watcher)
  }

  /** Somebody else, such as a user or the kubelet, writes an object as a whole. */
  put(object: Stored): Stored {
    const before = this.find(object)
    const uid = before?.metadata.uid ?? this.#world.uuid()
    const isChanged = before === undefined || !sameJson(before.spec, object.spec)
    const generation = (before?.metadata.generation ?? 0) + Number(isChanged)
    return this.#store({ ...object, metadata: { ...object.metadata, uid, generation } })
  }

  create(intent: Stored): Stored {
    if (this.find(intent)) throw refusal(409, 'AlreadyExists', `${intent.kind} "${intent.metadata.name}" already exists`)
    return this.put({ ...intent, metadata: { ...intent.metadata, creationTimestamp: toSeconds(this.#world.now()) } })
  }

  apply(intent: Stored): Stored {
    const before = this.find(intent)
    const { uid } = intent.metadata
    if (uid !== undefined && uid !== before?.metadata.uid) throw refusal(409, 'Conflict', 'Precondition failed: UID in precondition differs')
    if (!before) return this.create(intent)
    const after = { ...before, ...intent, metadata: { ...before.metadata, ...intent.metadata } }
    return sameJson(before, after) ? before : this.put(after)
  }

  applyStatus(intent: Stored): Stored {
    const before = this.#mustFind(intent)
    this.#checkVersion(before, intent.metadata.resourceVersion)
    const after = { ...before, status: intent.status }
    return sameJson(before, after) ? before : this.#store(after)
  }

  patch(ref: ObjectRef, { body }: PatchBody): Stored {
    const before = this.#mustFind(ref)
    const after = Array.isArray(body) ? patched(before, body) : merged(before, body)
    this.#checkVersion(before, Array.isArray(body) ? undefined : after.metadata.resourceVersion)
    const isGoing = after.metadata.deletionTimestamp !== undefined && (after.metadata.finalizers ?? []).length === 0
    return isGoing ? this.#erase(before) : this.#store(after)
  }

  remove(ref: ObjectRef): Stored | undefined {
    const before = this.find(ref)
    if (!before) return undefined
    if (ref.uid !== undefined && ref.uid !== before.metadata.uid) throw refusal(409, 'Conflict', 'Precondition failed: UID in precondition differs')
    if ((before.metadata.finalizers ?? []).length === 0) return this.#erase(before)
    const deletionTimestamp = before.metadata.deletionTimestamp ?? toSeconds(this.#world.now())
    return this.#store({ ...before, metadata: { ...before.metadata, deletionTimestamp } })
  }

  #mustFind(of: ObjectRef | KubeObject): Stored {
    const found = this.find(of)
    if (!found) throw refusal(404, 'NotFound', 'not found')
    return found
  }

  #checkVersion(object: Stored, resourceVersion: string | undefined): void {
    if (resourceVersion === undefined || resourceVersion === object.metadata.resourceVersion) return
    throw refusal(409, 'Conflict', 'the object has been modified; please apply your changes to the latest version and try again')
  }

  #store(object: Stored): Stored {
    const before = this.find(object)
    const after = structuredClone({ ...object, metadata: { ...object.metadata, resourceVersion: this.#nextVersion() } })
    this.#objects.set(idOf(object), after)
    for (const watcher of this.#watchers) watcher(before, after)
    return after
  }

  #erase(object: Stored): Stored {
    this.#objects.delete(idOf(object))
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: this.#nextVersion() } }
    for (const watcher of this.#watchers) watcher(last, undefined)
    for (const other of this.all()) {
      if (other.metadata.ownerReferences?.some(({ uid }) => uid === object.metadata.uid)) this.remove({ ...other, ...other.metadata })
    }
    return last
  }

  #nextVersion(): string {
    return String((this.#version += 1))
  }
}

class FakeConnection {
  readonly #server: FakeApiServer
  readonly #hooks: ClientHooks
  readonly #death: Death | undefined
  #writes = 0
  #isDead = false

  constructor(server: FakeApiServer, hooks: ClientHooks, death: Death | undefined) {
    this.#server = server
    this.#hooks = hooks
    this.#death = death
  }

  client(): Client {
    const server = this.#server
    return {
      get: (type, key) => this.#read(() => server.find(refTo(type, key))),
      list: (type) => this.#read(() => ({ items: server.all().filter((object) => kindKey(object) === kindKey(type)), resourceVersion: '1' })),
      watch: () => {
        throw new Error('connect a fake cache instead of watching')
      },
      create: (type, object) => this.#write(type, `create ${nameOf(object)}`, () => server.create(object)),
      submit: (type, object) => this.#write(type, `create ${nameOf(object)}`, () => server.create(object)),
      apply: (type, intent) => this.#write(type, `apply ${nameOf(intent)}`, () => server.apply(intent)),
      applyStatus: (type, intent) => this.#write(type, `status ${nameOf(intent)}`, () => server.applyStatus(intent)),
      patch: (type, key, patch) => this.#write(type, `patch ${type.kind} ${keyOf(key)}`, () => server.patch(refTo(type, key), patch)),
      remove: async (type, key, { uid } = {}) => {
        const ref = uid === undefined ? refTo(type, key) : { ...refTo(type, key), uid }
        const isMeant = (): boolean => uid === undefined || server.find(ref)?.metadata.uid === uid // else it is gone, as for the real client
        await this.#write(type, `remove ${type.kind} ${keyOf(key)}`, () => (isMeant() ? server.remove(ref) : undefined))
      },
      post: () => Promise.reject(new Error('nothing to post to')),
    }
  }

  async #read(read: () => unknown): Promise<never> {
    await Promise.resolve()
    this.#mustLive()
    return read() as never // what is stored under a kind has the type of the kind
  }

  async #write(type: ResourceType, name: string, write: () => Stored | undefined): Promise<never> {
    await Promise.resolve()
    this.#mustLive()
    this.#hooks.mayWrite?.()
    this.#writes += 1
    if (this.#dies('Before')) this.#mustLive()
    const written = write()
    this.#server.writes.push(name)
    if (this.#dies('After')) this.#mustLive()
    const resourceVersion = written?.metadata.resourceVersion
    this.#hooks.onWrite?.({ type, ...(resourceVersion === undefined ? {} : { resourceVersion }) })
    return written as never
  }

  #dies(moment: Death['moment']): boolean {
    this.#isDead ||= this.#death?.moment === moment && this.#death.atWrite === this.#writes
    return this.#isDead
  }

  #mustLive(): void {
    if (this.#isDead) throw new ProcessDied('killed')
  }
}

function refusal(code: number, reason: string, message: string): ApiError {
  return new ApiError({ code, reason, message })
}

function idOf(of: ObjectRef | KubeObject): string {
  return `${kindKey(of)} ${keyOf('metadata' in of ? of.metadata : of)}`
}

function nameOf(object: KubeObject): string {
  return `${object.kind} ${keyOf(object.metadata)}`
}

function refTo({ apiVersion, kind }: ResourceType, { namespace, name }: ObjectKey): ObjectRef {
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) }
}

/** RFC 7386. */
function merged<T>(target: T, patch: unknown): T {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch as T
  const result: Record<string, unknown> = typeof target === 'object' && target !== null ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else if (value !== undefined) result[key] = merged(result[key], value)
  }
  return result as T
}

/** RFC 6902, as far as `test` and `remove` go. */
function patched(object: Stored, operations: readonly { op: string; path: string; value?: unknown }[]): Stored {
  const result = structuredClone(object)
  for (const { op, path, value } of operations) {
    const keys = path.split('/').slice(1)
    const last = keys.pop() ?? ''
    const parent = keys.reduce<unknown>((inner, key) => Reflect.get(Object(inner), key), result)
    if (op === 'test' && !sameJson(Reflect.get(Object(parent), last), value)) throw refusal(422, 'Invalid', 'the patch tests for something else')
    if (op === 'remove' && Array.isArray(parent)) parent.splice(Number(last), 1)
  }
  return result
}
