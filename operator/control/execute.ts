import { isAlreadyExists, isForbidden, isInvalid, isNotFound, Retryable } from '../api/errors.ts'
import { keyOf, kindKey, refOf, type KubeObject, type ObjectKey, type ObjectRef, type ResourceType } from '../api/object.ts'
import type { Client } from '../api/resource.ts'
import type { Cache } from '../cache/cache.ts'
import { hasFinalizer, releasePatch } from '../meta/finalizer.ts'
import { sameJson } from '../meta/hash.ts'
import { controllerOf } from '../meta/owner.ts'
import type { World } from '../world.ts'
import { saysNameTaken } from './name-taken.ts'
import type { EventIntent, Plan, Write } from './plan.ts'

/** A name we need is taken by an object that is not ours, and never will be. */
export class Conflict extends Error {
  override readonly name = 'Conflict'
  readonly ref: ObjectRef

  constructor(ref: ObjectRef, owner: string) {
    super(`${ref.kind} ${keyOf(ref)} already exists and ${owner}; delete or rename it`)
    this.ref = ref
  }
}

/** The object that a plan is for, as the cache showed it. */
export type Subject = KubeObject & Readonly<{ status?: unknown }>

export type ExecutorOptions = Readonly<{
  client: Client
  cache: Cache
  /** Kinds that a plan may write. */
  types: readonly ResourceType[]
  fieldManager: string
  record: (regarding: KubeObject, event: EventIntent) => void
  world: Pick<World, 'now'>
}>

/** What a plan came to. `failures` is empty where all of it was done. */
export type Execution = Readonly<{ failures: readonly unknown[]; statusWritten: boolean }>

/** Carries out a plan; the only code that writes on behalf of a controller. */
export type Executor = (plan: Plan, subject: Subject | undefined, signal: AbortSignal) => Promise<Execution>

const COLLECTED_AFTER_S = 2 // the garbage collector is at it; its deletion wakes the object earlier

/**
 * Writes in order up to the first that fails, then the status in any case, so that users see why, then the events.
 * Every step can be repeated, so a crash after any of them is repaired by the next plan.
 */
export function createExecutor(options: ExecutorOptions): Executor {
  const perform = createWriter(options)
  return async (plan, subject, signal) => {
    const failures: unknown[] = []
    for (const write of writesFor(plan, subject)) {
      signal.throwIfAborted()
      const failure = await failureOf(perform(write))
      if (failure === undefined) continue
      failures.push(failure)
      if (subject && isForUser(failure)) options.record(subject, failedWrite(write, failure))
      break
    }
    signal.throwIfAborted()
    const statusWritten = { value: false }
    const failure = await failureOf(writeStatus(options, statusAfter(options, plan, subject, failures), subject).then((written) => void (statusWritten.value = written)))
    if (failure !== undefined) failures.push(failure)
    if (subject && statusWritten.value) for (const event of plan.events) options.record(subject, event)
    return { failures, statusWritten: statusWritten.value }
  }
}

/** As planned, unless a name is taken: that stays so until a person acts, who reads it there. */
function statusAfter({ world }: ExecutorOptions, { status }: Plan, subject: Subject | undefined, failures: readonly unknown[]): Plan['status'] {
  const conflict = failures.find((failure) => failure instanceof Conflict)
  return conflict === undefined || status === undefined ? status : saysNameTaken(status, Object(subject?.status), conflict.message, world.now())
}

/** An object that is going away gets nothing new: its children would outlive the garbage collector's look at it. */
function writesFor(plan: Plan, subject: Subject | undefined): readonly Write[] {
  const stays = subject !== undefined && subject.metadata.deletionTimestamp === undefined
  return stays ? plan.writes : plan.writes.filter(({ op }) => op === 'remove' || op === 'release')
}

async function failureOf(done: Promise<void>): Promise<unknown> {
  try {
    await done
    return undefined
  } catch (error) {
    return error ?? new Error('rejected with nothing')
  }
}

function createWriter({ client, cache, types, fieldManager }: ExecutorOptions): (write: Write) => Promise<void> {
  const typeOf = typesByKind(types)
  const live = (type: ResourceType, key: ObjectKey): KubeObject | undefined => cache.of(type).get(key)
  return async (write) => {
    const target = write.op === 'create' || write.op === 'apply' ? write.object : write.ref
    const type = typeOf(target)
    switch (write.op) {
      case 'create':
        return create(client, type, write.object, live(type, write.object.metadata))
      case 'apply':
        return apply(client, type, write.object, { fieldManager, cached: live(type, write.object.metadata) })
      case 'remove':
        return remove(client, type, write.ref, live(type, write.ref))
      case 'release':
        return release(client, type, write, live(type, write.ref))
    }
  }
}

async function create(client: Client, type: ResourceType, intent: KubeObject, cached: KubeObject | undefined): Promise<void> {
  if (cached) return refuseForeign(intent, cached)
  try {
    await client.create(type, intent)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    const present = await client.get(type, intent.metadata)
    if (present) refuseForeign(intent, present)
  }
}

type ApplyTarget = Readonly<{ fieldManager: string; cached: KubeObject | undefined }>

/** The uid of the object we know makes this "that very object or a conflict": a stale cache cannot revive a deleted child. */
async function apply(client: Client, type: ResourceType, intent: KubeObject, { fieldManager, cached }: ApplyTarget): Promise<void> {
  const present = cached ?? (await client.get(type, intent.metadata))
  if (!present) return void (await client.apply(type, intent, { fieldManager }))
  refuseForeign(intent, present)
  const { uid } = present.metadata
  const exact = uid === undefined ? intent : { ...intent, metadata: { ...intent.metadata, uid } }
  await client.apply(type, exact, { fieldManager, live: present })
}

function refuseForeign(intent: KubeObject, present: KubeObject): void {
  const [owner, ours] = [controllerOf(present), controllerOf(intent)]
  if (owner?.uid === ours?.uid) return
  if (owner && owner.kind === ours?.kind && owner.name === ours.name) {
    throw new Retryable(`${intent.kind} ${keyOf(intent.metadata)} of the deleted ${owner.kind} of that name is still there`, { afterSeconds: COLLECTED_AFTER_S })
  }
  throw new Conflict(refOf(intent), owner ? `is controlled by ${owner.kind} ${owner.name} (uid ${owner.uid})` : 'is controlled by nobody')
}

async function remove(client: Client, type: ResourceType, ref: ObjectRef, cached: KubeObject | undefined): Promise<void> {
  const present = cached ?? (await client.get(type, ref))
  if (!present || isAnother(present, ref) || present.metadata.deletionTimestamp !== undefined) return
  const { uid } = present.metadata
  await client.remove(type, ref, uid === undefined ? {} : { uid })
}

type Release = Extract<Write, { op: 'release' }>

/** Others take their finalizers off at the same time, so that ours moves: the second try is made from what is there now. */
async function release(client: Client, type: ResourceType, write: Release, cached: KubeObject | undefined): Promise<void> {
  const { ref } = write
  const refused = await tryRelease(client, type, write, cached ?? (await client.get(type, ref)))
  const again = refused && (await tryRelease(client, type, write, await client.get(type, ref)))
  if (again) throw new Retryable(`could not release ${ref.kind} ${keyOf(ref)}`, { cause: again })
}

/** The refusal, if what the patch tests for is not so. */
async function tryRelease(client: Client, type: ResourceType, { ref, finalizer }: Release, present: KubeObject | undefined): Promise<Error | undefined> {
  if (!present || isAnother(present, ref) || !hasFinalizer(present, finalizer)) return undefined
  try {
    await client.patch(type, ref, { contentType: 'application/json-patch+json', body: releasePatch(present, finalizer) })
    return undefined
  } catch (error) {
    if (isNotFound(error)) return undefined
    if (isInvalid(error)) return error
    throw error
  }
}

function isAnother(present: KubeObject, { uid }: ObjectRef): boolean {
  return uid !== undefined && uid !== present.metadata.uid
}

/** Guarded by the resourceVersion the plan was made from: `/status` ignores a uid. True if the status was written. */
async function writeStatus({ client, types, fieldManager }: ExecutorOptions, status: Plan['status'], subject: Subject | undefined): Promise<boolean> {
  if (!subject || status === undefined || sameJson(status, subject.status ?? {})) return false
  const { namespace, name, resourceVersion } = subject.metadata
  const metadata = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  }
  const intent = { apiVersion: subject.apiVersion, kind: subject.kind, metadata, status }
  try {
    const written = await client.applyStatus(typesByKind(types)(subject), intent, { fieldManager: `${fieldManager}-status`, live: subject })
    return written.metadata.resourceVersion !== resourceVersion // the same version: only how it is written differed
  } catch (error) {
    if (isNotFound(error)) return false // deleted meanwhile; nobody is left to read it
    throw error
  }
}

function typesByKind(types: readonly ResourceType[]): (of: Readonly<{ apiVersion: string; kind: string }>) => ResourceType {
  const byKind = new Map(types.map((type) => [kindKey(type), type]))
  return (of) => {
    const type = byKind.get(kindKey(of))
    if (!type) throw new TypeError(`a plan writes a ${of.kind} of ${of.apiVersion}, which no controller owns or watches`)
    return type
  }
}

/** Refusals that stay until somebody changes something: they belong where users look. */
function isForUser(failure: unknown): failure is Error {
  return failure instanceof Conflict || isForbidden(failure) || isInvalid(failure)
}

function failedWrite(write: Write, failure: Error): EventIntent {
  const kind = write.op === 'create' || write.op === 'apply' ? write.object.kind : write.ref.kind
  const action = `${write.op.charAt(0).toUpperCase()}${write.op.slice(1)}${kind}`
  return { type: 'Warning', reason: 'WriteFailed', action, note: failure.message }
}
