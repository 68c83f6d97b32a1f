import { decide, type Plan, type Policy, type Verdict, writesOf } from '../../operator/control/plan.ts'
import { stateEvent } from '../shared/conditions.ts'
import { isFinished, isGoing } from '../shared/lifecycle.ts'
import type { StateEntry } from '../shared/states.ts'
import type { Observed } from './observed.ts'
import { nextLook } from './serving/cost.ts'
import { unneeded } from './serving/policies.ts'

/** What one kind of asker says and decides. */
export type AskerKind<Seen> = Readonly<{
  policies: readonly Policy<Seen>[]
  askingOf(seen: Seen): Observed
  entryOf(reason: string): StateEntry
  buildStatus(seen: Seen, verdict: Verdict): NonNullable<Plan['status']>
}>

/** What is to be done about one that may have a model asked, from what was seen of it alone. Sandboxes are not its plan's to drive. */
export function planAsker<Seen>(seen: Seen, { policies, askingOf, entryOf, buildStatus }: AskerKind<Seen>): Plan {
  const asking = askingOf(seen)
  const { asker } = asking
  if (isGoing(asker)) return { writes: [], events: [] }
  const verdict = decide(policies, seen)
  if (!verdict) throw new TypeError(`no policy decided about ${asker.kind} ${asker.metadata.name}`)
  const entry = entryOf(verdict.reason)
  const remove = [...(verdict.remove ?? []), ...unneeded(asking, { phase: entry.phase, reason: verdict.reason })]
  const again = isFinished(asker) ? verdict.again : nextLook(asking, verdict)
  const isNews = !isFinished(asker) && asker.status?.state !== verdict.reason
  return {
    writes: writesOf({ ...verdict, remove }),
    status: buildStatus(seen, verdict),
    events: isNews ? [stateEvent(entry, verdict)] : [],
    ...(again === undefined ? {} : { again: Math.max(1, again) }),
  }
}
