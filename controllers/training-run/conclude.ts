import type { Verdict } from '../../operator/control/plan.ts'
import { states, type State } from './reasons.ts'

/** A verdict in one of our states; Ready follows from what the state means. */
export function conclude(state: State, message: string, then: Omit<Partial<Verdict>, 'ready' | 'reason' | 'message'> = {}): Verdict {
  return { ready: states[state].phase === 'Succeeded' ? 'True' : 'False', reason: state, message, ...then }
}
