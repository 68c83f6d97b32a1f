// What a run learns from and another resource makes: waited for, then frozen in the status.
import type { Verdict } from '../../operator/control/plan.ts'
import { isComplete } from '../shared/lifecycle.ts'
import { waitFor, type Referred } from '../shared/references.ts'
import { conclude } from './reasons.ts'

/** A resource that a field names, and what is taken from it. */
export type Followed<Found extends Referred, Taken> = Readonly<{
  /** Such as spec.data.trajectories.fromEval. */
  field: string
  kind: string
  /** Undefined once the status has taken it down, and where the field is absent. */
  name: string | undefined
  found: Found | undefined
  /** As the status has it. */
  taken: Taken | undefined
  /** Undefined where it is complete and has nothing to learn from. */
  take(found: Found): Taken | undefined
  /** What is learned, behind "is complete: ". */
  tells(taken: Taken): string
  /** Why nothing is, behind "is complete and ", and the remedy. */
  lacks(found: Found | undefined): string
}>

/** Policy: where it lies is taken down in the status before anything is made of it. */
export function follow<Found extends Referred, Taken>(followed: Followed<Found, Taken>): Verdict | undefined {
  const { field, kind, name, found } = followed
  if (name === undefined) return undefined
  const waiting = waitFor({ field, kind, name, found }, conclude)
  if (waiting !== undefined) return waiting
  const taken = takenFrom(followed)
  if (taken !== undefined) return conclude('Preparing', `${kind} ${name} is complete: ${followed.tells(taken)}`)
  return conclude('UnusableReference', `${kind} ${name} is complete and ${followed.lacks(found)}`)
}

/** Frozen once it is complete and has something to learn from; undefined before. */
export function takenFrom<Found extends Referred, Taken>({ name, found, taken, take }: Followed<Found, Taken>): Taken | undefined {
  if (name === undefined || found === undefined) return taken
  return isComplete(found) ? take(found) : undefined
}
