// The last thing that happens to a result: it goes to a hub, where spec.publish says so.
import type { TrainingRunStatus } from '../../crds/training-run.ts'
import type { KubeObject } from '../../operator/api/object.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { toSeconds } from '../../operator/meta/time.ts'
import { secondsLeft } from '../jobs/backoff.ts'
import { endTimeOf, isLive, jobsOf, type Child } from '../jobs/children.ts'
import { unlessSame } from '../jobs/inputs.ts'
import type { Outcome } from '../jobs/outcome.ts'
import { nextRun } from '../jobs/run-once.ts'
import { runProgram } from '../jobs/run-program.ts'
import { waitForStore } from '../jobs/sealed.ts'
import { describeCost } from './cost.ts'
import { describeGate } from './gate.ts'
import { isTrained, type Observed } from './observed.ts'
import { conclude, isState } from './reasons.ts'
import { buildPublishInputs } from './resources/publish-inputs.ts'
import { buildPublishJob } from './resources/publish-job.ts'

const CHECK_SECONDS = 60 // the end of its pod wakes us
const LATER_SECONDS = 600 // a person grants a right or renews a token, and nothing of that wakes us
const KEPT = 4 // for a person to look at, beside the one that is tried now

/** A run is complete once its result is where it was to go. A hub that refuses it costs no result: it is tried until somebody helps. */
export function publishResult(seen: Observed): Verdict | undefined {
  const { run, publications, resolved, now } = seen
  if (run.spec.publish === undefined) return callOff(publications)
  if (!isTrained(seen) || describePublish(seen) !== undefined) return undefined
  if (seen.storeTrouble !== undefined) return waitForStore(seen)
  const next = nextRun(publications, resolved.retryLimit, now)
  if (run.spec.suspend === true && next.kind !== 'Live') return conclude('Suspended', 'The training is over; set spec.suspend to false to publish its result.')
  if (next.kind === 'Wait') return conclude('Publishing', `Publishing ended with ${next.last.reason}: ${next.last.message} It is tried again.`, { again: next.seconds })
  if (next.kind === 'GiveUp') return tryLater(seen, next.last)
  return publish(seen, next)
}

/** Where the result is; undefined until it is there. */
export function describePublish({ run, published, now }: Observed): TrainingRunStatus['publish'] {
  const { url, revision } = published ?? {}
  if (run.status?.publish !== undefined || url === undefined || revision === undefined) return run.status?.publish
  return { url, revision, publishedTime: toSeconds(now) }
}

/** Nobody wants it any more: what is not on the hub by now does not come there. */
function callOff(publications: readonly Child[]): Verdict | undefined {
  const live = publications.filter(isLive)
  return live.length === 0 ? undefined : conclude('Publishing', 'spec.publish is gone: the pod that publishes is stopped.', { remove: jobsOf(live), again: CHECK_SECONDS })
}

type ToDo = Exclude<ReturnType<typeof nextRun>, { kind: 'Wait' | 'GiveUp' }>

function publish(seen: Observed, next: ToDo): Verdict {
  const { run, resolved, settings, publications: children } = seen
  const build = (number: number): readonly KubeObject[] => [buildPublishJob(run, resolved, settings, number)]
  const story = { state: 'Publishing', what: 'Publishing the result', does: 'gives the result to the hub', children, build } as const
  return runProgram(next, story, { ...seen, kind: 'TrainingRun', groundwork: groundwork(seen), words: { isState, conclude } })
}

function tryLater(seen: Observed, { reason, message }: Outcome): Verdict {
  const { publications } = seen
  const newest = publications.at(-1)
  const seconds = secondsLeft(newest && endTimeOf(newest), LATER_SECONDS, seen.now)
  const remove = jobsOf(publications.slice(0, -KEPT))
  if (seconds === 0) return { ...publish(seen, { kind: 'Start', number: (newest?.number ?? 0) + 1 }), remove }
  const remedy = `The result lies in the store. Publishing is tried again every ${LATER_SECONDS / 60} minutes; remove spec.publish to complete the run without.`
  return conclude('PublishFailed', `Publishing ended with ${reason}: ${message} ${remedy}`, { again: seconds })
}

function groundwork(seen: Observed): readonly KubeObject[] {
  const { run, resolved, attempts, publishInputs, caBundle } = seen
  if (caBundle === undefined) return []
  const trained = { attempts: attempts.at(-1)?.number ?? 1, cost: describeCost(seen, 'Over'), gate: describeGate(seen) }
  return unlessSame(publishInputs, buildPublishInputs(run, resolved, trained, caBundle))
}
