import { heldByBudget } from '../generation/budget.ts'
import type { Order } from '../shared/own-evaluation.ts'
import { askingOf, preparedPrefix, type Observed } from './observed.ts'
import { conclude, type State } from './reasons.ts'
import { buildEvaluation } from './resources/evaluation.ts'
import { beginMessage } from './stories.ts'

/** The evaluation that grades what was prepared; suspended where the budget of both is spent. */
export function orderOf(seen: Observed): Order<State> {
  const { generation, resolved, settings, evaluation } = seen
  const overBudget = heldByBudget(askingOf(seen))
  const ordered = buildEvaluation(generation, resolved, settings, preparedPrefix(seen) ?? '')
  const desired = overBudget === undefined ? ordered : { ...ordered, spec: { ...ordered.spec, suspend: true } }
  return { owner: generation, isHeld: generation.spec.suspend === true, overBudget, found: evaluation, desired, begins: beginMessage(seen), states: { grading: 'Grading', cannot: 'CannotGrade' }, conclude }
}
