import type { Generated, ServingStatus } from '../../crds/generation-status.ts'
import type { Origin } from '../../crds/from-run.ts'
import { toSeconds } from '../../operator/meta/time.ts'
import { describeFrozen } from '../jobs/verdict.ts'
import { withoutAbsent } from '../shared/lifecycle.ts'
import { describeOrigin } from './from-run.ts'
import type { Observed } from './observed.ts'
import { servingPods } from './serving/cost.ts'
import { isServed } from './serving/model.ts'
import { isReady, servingPod } from './serving/server.ts'

type Told = Readonly<{ fromRun: Origin | undefined; serving: ServingStatus | undefined; generation: Generated | undefined }>

/** What the status of every asker says of its model. */
export function describeAsking(seen: Observed): Told {
  return { fromRun: describeOrigin(seen), serving: describeServing(seen), generation: describeGenerated(seen) ?? seen.asker.status?.generation }
}

function describeServing(seen: Observed): ServingStatus | undefined {
  const { asker, server, now } = seen
  if (!isServed(asker)) return undefined
  const { model, readyTime } = asker.status?.serving ?? {}
  const pods = servingPods(seen)
  return withoutAbsent({
    model: model ?? (server.fetched?.sources && describeFrozen(server.fetched.sources.model)),
    readyTime: readyTime ?? (isReady(servingPod(server.pods)) ? toSeconds(now) : undefined),
    pods: pods.length === 0 ? undefined : pods,
  })
}

/** While it is asked, how far that is; then what the program says. */
function describeGenerated({ generated, askings, askingProgress: progress }: Observed): Generated | undefined {
  const verdict = generated ?? askings.at(-1)?.verdict
  if (verdict?.summary === undefined) return progress && withoutAbsent({ samples: progress.totalSteps, generated: progress.step })
  const { summary, sources, predictions } = verdict
  return withoutAbsent({ ...summary, predictions, source: sources && describeFrozen(sources.instances) })
}
