// The labels every child carries, by which caches select and children find back to their run.
import type { KubeObject } from '../../operator/api/object.ts'
import { labelValue } from '../../operator/meta/names.ts'

export const MANAGED_BY = 'app.kubernetes.io/managed-by'
export const OPERATOR = 'swe-operator'
export const RUN = 'swe-operator.dev/training-run'
export const UID = 'swe-operator.dev/uid'
export const ROLE = 'swe-operator.dev/role'
export const ATTEMPT = 'swe-operator.dev/attempt'

/** On training pods until their verdict is in the status of the run: a pod that is deleted stays readable that long. */
export const VERDICT_FINALIZER = 'swe-operator.dev/verdict'

/** On training Jobs, as an annotation: the seconds that the budget left when they were created, which their trainer knows too. */
export const BUDGET_SECONDS = 'swe-operator.dev/budget-seconds'

/** On pods of Jobs until the job controller has counted them, or deletes them for a suspension. */
export const JOB_TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking'

/** What all children are selected by. */
export const CHILDREN_SELECTOR = `${MANAGED_BY}=${OPERATOR},${RUN}`

export type Role = 'prepare' | 'train'

export function runLabels(run: KubeObject): Readonly<Record<string, string>> {
  return { [MANAGED_BY]: OPERATOR, [RUN]: labelValue(run.metadata.name), [UID]: run.metadata.uid ?? '' }
}

export function numberedLabels(run: KubeObject, role: Role, number: number): Readonly<Record<string, string>> {
  return { ...runLabels(run), [ROLE]: role, [ATTEMPT]: String(number) }
}

/** The number a child carries, from 1; undefined for objects that somebody labelled by hand. */
export function numberOf(child: KubeObject): number | undefined {
  const number = Number(child.metadata.labels?.[ATTEMPT])
  return Number.isInteger(number) && number >= 1 ? number : undefined
}

/** What the trainer was told of its budget; undefined: that there is none. */
export function budgetSecondsOf({ metadata }: KubeObject): number | undefined {
  const seconds = metadata.annotations?.[BUDGET_SECONDS]
  return seconds === undefined ? undefined : Number(seconds)
}
