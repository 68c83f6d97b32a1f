import type { EventIntent, Verdict } from '../../operator/control/plan.ts'
import type { ConditionIntent } from '../../operator/meta/conditions.ts'
import type { Phase, StateEntry } from './states.ts'

export type Said = Readonly<{
  entry: StateEntry
  verdict: Verdict
  observedGeneration: number
  /** Whether the store has told if the object was finished before; until then Complete is Unknown. */
  consulted: boolean
}>

/** The conditions that every kind has: Ready with its kstatus companions, and Complete and Failed as Jobs have them. */
export function standardConditions({ entry: { phase, means }, verdict: { ready, reason, message }, observedGeneration, consulted }: Said): readonly ConditionIntent[] {
  const complete = phase === 'Succeeded' || !consulted ? message : ''
  const all: readonly (readonly [type: string, status: ConditionIntent['status'], message: string])[] = [
    ['Ready', ready, message],
    ['Reconciling', truth(phase === 'Progressing'), means],
    ['Stalled', truth(isStuck(phase)), isStuck(phase) ? message : ''],
    ['Complete', consulted ? truth(phase === 'Succeeded') : 'Unknown', complete],
    ['Failed', truth(phase === 'Failed'), phase === 'Failed' ? message : ''],
  ]
  return all.map(([type, status, says]) => ({ type, status, reason, message: says, observedGeneration }))
}

/** The event that announces a new state. */
export function stateEvent({ phase, action }: StateEntry, { reason, message }: Verdict): EventIntent {
  const isBad = isStuck(phase) || reason === 'StoreUnavailable'
  return { type: isBad ? 'Warning' : 'Normal', reason, action, note: message }
}

function isStuck(phase: Phase): boolean {
  return phase === 'Stalled' || phase === 'Failed'
}

function truth(holds: boolean): 'True' | 'False' {
  return holds ? 'True' : 'False'
}
