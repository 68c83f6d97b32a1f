import type { KubeObject, ObjectRef } from '../api/object.ts'

/** What one look at the world concluded. Plain data: it can be printed, compared, replayed and tested. */
export type Verdict = Readonly<{
  ready: 'True' | 'False' | 'Unknown'
  reason: string
  message: string
  /** Only ever created: an existing object of that name is left as it is. For what is immutable, such as Jobs. */
  create?: readonly KubeObject[]
  /** Brought to exactly this state by server-side apply. */
  apply?: readonly KubeObject[]
  /** Deleted with their own grace period; dependents in the background. */
  remove?: readonly ObjectRef[]
  /** Objects whose finalizer of ours has done its work. */
  release?: readonly ObjectRef[]
  /** Look again after this many seconds even if nothing changes. */
  again?: number
}>

/** Looks at what was observed; says nothing, or decides. */
export type Policy<Observed> = (seen: Observed) => Verdict | undefined

/** The first policy with an opinion decides; the chain is the specification. */
export function decide<Observed>(policies: readonly Policy<Observed>[], seen: Observed): Verdict | undefined {
  for (const policy of policies) {
    const verdict = policy(seen)
    if (verdict) return verdict
  }
  return undefined
}

/** An event to record once the status that explains it is written. */
export type EventIntent = Readonly<{
  type: 'Normal' | 'Warning'
  reason: string
  /** The verb of what was done, UpperCamelCase, such as `StartAttempt`. */
  action: string
  note: string
  related?: ObjectRef
}>

/** One write of a plan. Every write can be repeated: a crash after any of them re-plans to those that remain. */
export type Write =
  | Readonly<{ op: 'create'; object: KubeObject }>
  | Readonly<{ op: 'apply'; object: KubeObject }>
  | Readonly<{ op: 'remove'; ref: ObjectRef }>
  | Readonly<{ op: 'release'; ref: ObjectRef; finalizer: string }>

/** All that a reconcile wants done, in order: writes, then status (only if it differs), then events. */
export type Plan = Readonly<{
  writes: readonly Write[]
  /** The complete status; absent = leave the status alone. */
  status?: Readonly<Record<string, unknown>>
  /** Recorded only if this plan changed the status. */
  events: readonly EventIntent[]
  /** Seconds. */
  again?: number
}>

/** The writes of a verdict: what goes first makes room for what comes. */
export function writesOf({ remove = [], apply = [], create = [] }: Verdict): readonly Write[] {
  return [
    ...remove.map((ref): Write => ({ op: 'remove', ref })),
    ...apply.map((object): Write => ({ op: 'apply', object })),
    ...create.map((object): Write => ({ op: 'create', object })),
  ]
}
