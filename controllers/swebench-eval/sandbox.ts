import type { ObjectKey } from '../../operator/api/object.ts'
import type { Unit } from '../../operator/fan-out/task.ts'

/** One try to grade one prediction of an evaluation. */
export type Sandbox = Readonly<{ namespace: string; evaluation: string; uid: string; unit: Unit }>

const UID_DIGITS = 8 // enough to tell an evaluation from an earlier one of its name

/** Name and namespace of its pod: the same for the same try, of this evaluation alone. */
export function podKeyOf({ namespace, evaluation, uid, unit }: Sandbox): Required<ObjectKey> {
  return { namespace, name: `${evaluation}-${uid.slice(0, UID_DIGITS)}-${unit.ordinal}-${unit.attempt}` }
}
