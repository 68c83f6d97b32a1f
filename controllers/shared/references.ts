// Resources that another one names and waits for: how far they are, and whom their changes wake.
import type { Condition } from '../../crds/common.ts'
import type { KubeObject, ObjectKey, ResourceType } from '../../operator/api/object.ts'
import type { Watched } from '../../operator/control/controller.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { isComplete, isFinished } from './lifecycle.ts'

/** What all our kinds tell of themselves. */
export type Referred = KubeObject & Readonly<{ status?: Readonly<{ state?: string | undefined; conditions?: readonly Condition[] | undefined }> | undefined }>

/** One resource of the same namespace, as a field of the specification names it. */
export type Reference = Readonly<{
  /** Such as spec.model.fromRun. */
  field: string
  kind: string
  name: string
  /** Undefined: there is none of that name. */
  found: Referred | undefined
}>

/** `Awaited` may still become complete, `Failed` never does; the message is for whoever waits. */
export type Standing = Readonly<{ is: 'Complete' } | { is: 'Awaited' | 'Failed'; message: string }>

/** What is said while a resource is not Complete that another one waits for; undefined once it is. */
export function waitFor(reference: Reference, conclude: (state: 'WaitingForReference' | 'UnusableReference', message: string) => Verdict): Verdict | undefined {
  const standing = standingOf(reference)
  if (standing.is === 'Complete') return undefined
  return conclude(standing.is === 'Failed' ? 'UnusableReference' : 'WaitingForReference', standing.message)
}

export function standingOf({ field, kind, name, found }: Reference): Standing {
  if (found === undefined) return { is: 'Awaited', message: `There is no ${kind} ${name} in this namespace, which ${field} names. This one goes on by itself once there is, and it is Complete.` }
  if (isComplete(found)) return { is: 'Complete' }
  const state = found.status?.state ?? 'Pending'
  if (isFinished(found)) return { is: 'Failed', message: `${kind} ${name}, which ${field} names, has ended ${state} and will never be Complete. Delete it and create a corrected one of that name, and this one goes on by itself; or name another one in a new resource.` }
  return { is: 'Awaited', message: `${kind} ${name} is ${state}; this one goes on by itself once that is Complete (${field}).` }
}

/** Index of a kind's cache: those that wait for the resource of a `referenceKey`. */
export const WAITING_FOR = 'waitingFor'

export function referenceKey({ kind }: Pick<ResourceType, 'kind'>, { namespace = '', name }: ObjectKey): string {
  return `${kind}/${namespace}/${name}`
}

/** For the watches of a controller: whoever of `waiting` waits for an `awaited` that changes looks at it again. */
export function wakes(awaited: ResourceType, waiting: ResourceType): Watched {
  return { type: awaited, keys: ({ metadata }, cache) => cache.of(waiting).by(WAITING_FOR, referenceKey(awaited, metadata)).map((one) => one.metadata) }
}
