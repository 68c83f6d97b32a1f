// Where an object of any of our kinds stands, by its own conditions.
import type { Condition } from '../../crds/common.ts'
import type { ObjectMeta } from '../../operator/api/object.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { conditionOf } from '../../operator/meta/conditions.ts'

type Status = Readonly<{ observedGeneration?: number | undefined; state?: string | undefined; conditions?: readonly Condition[] | undefined }>
export type Lived = Readonly<{ metadata: ObjectMeta; status?: Status | undefined }>

/** Whether it is Complete or Failed; both are final. */
export function isFinished({ status }: Pick<Lived, 'status'>): boolean {
  return isComplete({ status }) || conditionOf(status?.conditions, 'Failed')?.status === 'True'
}

export function isComplete({ status }: Pick<Lived, 'status'>): boolean {
  return conditionOf(status?.conditions, 'Complete')?.status === 'True'
}

/** Of a run: whether its result lies in the store, whatever must still follow before it is Complete. */
export function wasTrained({ status }: Pick<Lived, 'status'>): boolean {
  return conditionOf(status?.conditions, 'Trained')?.status === 'True'
}

/** Whether it is being deleted: then nothing is asked or started. */
export function isGoing({ metadata }: Pick<Lived, 'metadata'>): boolean {
  return metadata.deletionTimestamp !== undefined
}

/** Whether it is known if it was finished before: until then `Complete` is Unknown. */
export function isConsulted({ status }: Pick<Lived, 'status'>): boolean {
  return (conditionOf(status?.conditions, 'Complete')?.status ?? 'Unknown') !== 'Unknown'
}

/** What a finished object keeps saying; undefined for one that is not finished. */
export function finalVerdict({ status }: Pick<Lived, 'status'>): Verdict | undefined {
  if (!isFinished({ status })) return undefined
  const ready = conditionOf(status?.conditions, 'Ready')
  return { ready: ready?.status ?? 'Unknown', reason: status?.state ?? 'Failed', message: ready?.message ?? '' }
}

/** A finished object says nothing new; it only shows that it saw a change of its specification, or kstatus would wait for ever. */
export function acknowledged<S extends Status>(before: S, observedGeneration: number): S {
  if (before.observedGeneration === observedGeneration) return before
  return { ...before, observedGeneration, conditions: before.conditions?.map((condition) => ({ ...condition, observedGeneration })) }
}

/** A plan states what is; what is absent is left out rather than undefined, so that plans compare and print well. */
export function withoutAbsent<T extends object>(fields: T): T {
  return JSON.parse(JSON.stringify(fields))
}
