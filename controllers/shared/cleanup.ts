// What is left of a finished object in the cluster, and when it goes.
import type { Condition } from '../../crds/common.ts'
import type { ObjectRef } from '../../operator/api/object.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { conditionOf } from '../../operator/meta/conditions.ts'
import { secondsLeft } from '../jobs/backoff.ts'
import { durationSeconds } from './duration.ts'

export type Finished = Readonly<{
  spec: Readonly<{ cleanup?: Readonly<{ afterFinished: string }> | undefined }>
  status?: Readonly<{ conditions?: readonly Condition[] | undefined }> | undefined
}>

/** Its own children once they have been kept for long enough; until then, when to look again. Never the object itself: GitOps would create it anew. */
export function cleanUp({ spec, status }: Finished, leftovers: readonly ObjectRef[], now: Date): Pick<Verdict, 'remove' | 'again'> {
  if (spec.cleanup === undefined || leftovers.length === 0) return {}
  const over = (['Complete', 'Failed'] as const).map((type) => conditionOf(status?.conditions, type)).find((condition) => condition?.status === 'True')
  const left = secondsLeft(over?.lastTransitionTime, durationSeconds(spec.cleanup.afterFinished), now)
  return left === 0 ? { remove: leftovers } : { again: left }
}
