import type { Plan } from '../../operator/control/plan.ts'
import { planAsker } from '../generation/plan.ts'
import { askingOf, type Observed } from './observed.ts'
import { policies } from './policies.ts'
import { entryOf } from './reasons.ts'
import { buildStatus } from './status.ts'

/** What is to be done about an evaluation, from what was seen of it alone. Its sandboxes are a fan-out's to drive. */
export function plan(seen: Observed): Plan {
  return planAsker(seen, { policies, askingOf, entryOf, buildStatus })
}
