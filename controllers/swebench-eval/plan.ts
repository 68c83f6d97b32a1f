import { decide, type Plan, writesOf } from '../../operator/control/plan.ts'
import { stateEvent } from '../shared/conditions.ts'
import { isFinished, isGoing, type Observed } from './observed.ts'
import { policies } from './policies.ts'
import { isState, states } from './reasons.ts'
import { buildStatus } from './status.ts'

/** What is to be done about an evaluation, from what was seen of it alone. Its sandboxes are a fan-out's to drive. */
export function plan(seen: Observed): Plan {
  if (isGoing(seen.evaluation)) return { writes: [], events: [] }
  const verdict = decide(policies, seen)
  if (!verdict) throw new TypeError(`no policy decided about SWEBenchEval ${seen.evaluation.metadata.name}`)
  const isNews = !isFinished(seen.evaluation) && seen.evaluation.status?.state !== verdict.reason
  return {
    writes: writesOf(verdict),
    status: buildStatus(seen, verdict),
    events: isNews ? [stateEvent(isState(verdict.reason) ? states[verdict.reason] : states.Failed, verdict)] : [],
    ...(verdict.again === undefined ? {} : { again: Math.max(1, verdict.again) }),
  }
}
