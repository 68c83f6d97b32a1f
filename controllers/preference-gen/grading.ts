import { heldByBudget } from '../generation/budget.ts'
import type { Order } from '../shared/own-evaluation.ts'
import { askingOf, preparedPrefix, type Observed } from './observed.ts'
import { conclude, type State } from './reasons.ts'
import { buildEvaluation } from './resources/evaluation.ts'
import { beginMessage } from './stories.ts'

/** The evaluation that grades what was prepared. */
export function orderOf(seen: Observed): Order<State> {
  const { generation, resolved, settings, evaluation } = seen
  const overBudget = heldByBudget(askingOf(seen))
  const desired = buildEvaluation(generation, resolved, settings, preparedPrefix(seen) ?? '')
  return { owner: generation, isHeld: generation.spec.suspend === true, overBudget, found: evaluation, desired: overBudget === undefined ? desired : { ...desired, spec: { ...desired.spec, suspend: true } }, begins: beginMessage(seen), states: { grading: 'Grading', cannot: 'CannotGrade' }, conclude }
}
