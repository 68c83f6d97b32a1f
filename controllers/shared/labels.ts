// The labels every child carries, by which caches select and children find back to what they belong to.
import type { KubeObject, ObjectKey } from '../../operator/api/object.ts'
import { labelValue } from '../../operator/meta/names.ts'

export const MANAGED_BY = 'app.kubernetes.io/managed-by'
export const OPERATOR = 'swe-operator'
export const UID = 'swe-operator.dev/uid'
export const ROLE = 'swe-operator.dev/role'
export const ATTEMPT = 'swe-operator.dev/attempt'

/** By kind of the owner: the label that holds its name. */
export const OWNER_LABELS = {
  TrainingRun: 'swe-operator.dev/training-run',
  PreferenceGen: 'swe-operator.dev/preference-gen',
  SWEBenchEval: 'swe-operator.dev/swebench-eval',
} as const

export type OwnerKind = keyof typeof OWNER_LABELS

/** On training pods until their verdict is in the status of the run: a pod that is deleted stays readable that long. */
export const VERDICT_FINALIZER = 'swe-operator.dev/verdict'

/** On training Jobs, as an annotation: the seconds that the budget left when they were created, which their trainer knows too. */
export const BUDGET_SECONDS = 'swe-operator.dev/budget-seconds'

/** On pods of Jobs until the job controller has counted them, or deletes them for a suspension. */
export const JOB_TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking'

/** What all children of all kinds are selected by. */
export const CHILDREN_SELECTOR = `${MANAGED_BY}=${OPERATOR},${UID}`

/** What the program in a child's pod does. */
export type Role = 'prepare' | 'generate' | 'serve' | 'train' | 'publish' | 'sandbox' | 'listener' | 'probe' | 'report'

/** Index of the pod cache: all pods that carry this uid of their owner. */
export const PODS_BY_UID = 'uid'

/** The values of that index for a pod. */
export function uidOf({ metadata }: KubeObject): readonly string[] {
  const uid = metadata.labels?.[UID]
  return uid === undefined ? [] : [uid]
}

/** One of our own objects, which has children. */
export type Owner = KubeObject & Readonly<{ kind: OwnerKind }>

export function childLabels({ kind, metadata }: Owner): Readonly<Record<string, string>> {
  return { [MANAGED_BY]: OPERATOR, [OWNER_LABELS[kind]]: labelValue(metadata.name), [UID]: metadata.uid ?? '' }
}

export function roleLabels(owner: Owner, role: Role): Readonly<Record<string, string>> {
  return { ...childLabels(owner), [ROLE]: role }
}

export function numberedLabels(owner: Owner, role: Role, number: number): Readonly<Record<string, string>> {
  return { ...roleLabels(owner, role), [ATTEMPT]: String(number) }
}

/** The object of this kind that a child is labelled with. Names of owners are short enough for a label to hold them whole. */
export function ownerOf(kind: OwnerKind): (child: KubeObject) => readonly ObjectKey[] {
  return ({ metadata: { namespace, labels } }) => {
    const name = labels?.[OWNER_LABELS[kind]]
    return name === undefined || namespace === undefined ? [] : [{ namespace, name }]
  }
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
