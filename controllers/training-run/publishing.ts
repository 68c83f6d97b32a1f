// The last thing that happens to a result: it goes to a hub, where spec.publish says so.
import type { TrainingRunStatus } from '../../crds/training-run.ts'
import type { KubeObject } from '../../operator/api/object.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { toSeconds } from '../../operator/meta/time.ts'
import { secondsLeft } from '../jobs/backoff.ts'
import { endTimeOf, isLive, jobsOf, type Child } from '../jobs/children.ts'
import { unlessSame } from '../jobs/inputs.ts'
import { outcomeOf, type Outcome } from '../jobs/outcome.ts'
import { nextRun, type NextRun } from '../jobs/run-once.ts'
import { endedWith, runProgram } from '../jobs/run-program.ts'
import { waitForStore } from '../jobs/sealed.ts'
import { isTrained } from './attempt-table.ts'
import { describeCost } from './cost.ts'
import { describeGate } from './gate.ts'
import type { Observed } from './observed.ts'
import { conclude, isState } from './reasons.ts'
import { buildPublishInputs } from './resources/publish-inputs.ts'
import { buildPublishJob } from './resources/publish-job.ts'

const CHECK_SECONDS = 60 // the end of its pod wakes us
const LATER_SECONDS = 600 // a person grants a right or renews a token, and nothing of that wakes us
const KEPT = 4 // for a person to look at, beside the one that is tried now
const WHAT = 'Publishing the result'

/** A run is complete once its result is where it was to go. A hub that refuses it costs no result: it is tried until somebody helps. */
export function publishResult(seen: Observed): Verdict | undefined {
  const { run, publications, resolved, now } = seen
  if (run.spec.publish === undefined) return callOff(publications)
  if (!isTrained(seen) || describePublish(seen) !== undefined) return undefined
  if (seen.storeTrouble !== undefined) return waitForStore(seen)
  const limit = Math.min(resolved.retryLimit, KEPT - 1) // those that are kept are the count
  const next = nextRun(publications, limit, now)
  if (run.spec.suspend === true && next.kind !== 'Live') return conclude('Suspended', 'The training is over; set spec.suspend to false to publish its result.')
  const ended = publications.filter((one) => !isLive(one))
  const isGivenUp = run.status?.state === 'PublishFailed' || nextRun(ended, limit, now).kind === 'GiveUp'
  const last = ended.map(outcomeOf).at(-1)
  return isGivenUp ? tryLater(seen, next, last) : tellOfLast(publish(seen, next), next, last)
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

function publish(seen: Observed, next: NextRun): Verdict {
  const { run, resolved, settings, publications: children } = seen
  const build = (number: number): readonly KubeObject[] => [buildPublishJob(run, resolved, settings, number)]
  const story = { state: 'Publishing', between: 'Publishing', what: WHAT, does: 'gives the result to the hub', children, build } as const
  return runProgram(next, story, { ...seen, kind: 'TrainingRun', groundwork: groundwork(seen), words: { isState, conclude } })
}

/** Whoever looks in the middle of a try reads what was the matter with the one before. */
function tellOfLast(verdict: Verdict, next: NextRun, last: Outcome | undefined): Verdict {
  return next.kind === 'Wait' || last === undefined ? verdict : { ...verdict, message: `${verdict.message} The try before: ${endedWith(WHAT, last)}` }
}

/** It failed, and has until a try succeeds: nobody who waits for that should see the tries between. */
function tryLater(seen: Observed, next: NextRun, last: Outcome | undefined): Verdict {
  const { publications, now } = seen
  const newest = publications.at(-1)
  const since = newest && endTimeOf(newest)
  const seconds = secondsLeft(since, LATER_SECONDS, now)
  if (next.kind === 'Live') return stillFailed(last, publish(seen, next))
  if (since === undefined || seconds === 0) return stillFailed(last, { ...publish(seen, { kind: 'Start', number: (newest?.number ?? 0) + 1 }), remove: jobsOf(publications.slice(0, -KEPT)) })
  const time = toSeconds(new Date(Date.parse(since) + LATER_SECONDS * 1000))
  return stillFailed(last, conclude('PublishFailed', `The next try is at ${time}.`, { again: seconds }))
}

function stillFailed(last: Outcome | undefined, verdict: Verdict): Verdict {
  const failure = last === undefined ? '' : `${endedWith(WHAT, last)} `
  return { ...verdict, ...conclude('PublishFailed', `${failure}The result lies in the store; remove spec.publish to complete the run without. ${verdict.message}`) }
}

function groundwork(seen: Observed): readonly KubeObject[] {
  const { run, resolved, attempts, publishInputs, caBundle } = seen
  if (caBundle === undefined) return []
  const trained = { attempts: attempts.at(-1)?.number ?? 1, cost: describeCost(seen, 'Over'), gate: describeGate(seen) }
  return unlessSame(publishInputs, buildPublishInputs(run, resolved, trained, caBundle))
}
