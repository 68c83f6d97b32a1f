import { conditionOf, setConditions, type Condition } from '../meta/conditions.ts'

type Status = Readonly<{ conditions?: readonly Condition[] }>

/**
 * A status that says what a refused write said: nobody but a person makes room for a name that another object has.
 * Statuses without conditions stay as they are. `before`: what was written last, for the times of transitions.
 */
export function saysNameTaken<S extends Status>(status: S, before: Status | undefined, message: string, now: Date): S {
  if (status.conditions === undefined || conditionOf(status.conditions, 'Ready') === undefined) return status
  const conditions = status.conditions.map((one) => {
    if (one.type === 'Ready') return { ...one, status: 'False' as const, message }
    if (one.type === 'Stalled') return { ...one, status: 'True' as const, reason: 'NameTaken', message }
    return one.type === 'Reconciling' ? { ...one, status: 'False' as const } : one
  })
  return { ...status, conditions: setConditions(before?.conditions, conditions, now) }
}
