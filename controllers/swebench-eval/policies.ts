import type { Policy, Verdict } from '../../operator/control/plan.ts'
import { heldByBudget } from '../generation/budget.ts'
import { followRun } from '../generation/from-run.ts'
import { isToAsk } from '../generation/observed.ts'
import { ask, holdAsking, holdAskingAtBudget } from '../generation/policies.ts'
import { isLive, jobsOf } from '../jobs/children.ts'
import { nextRun } from '../jobs/run-once.ts'
import { PROGRAM_RETRIES } from '../jobs/run-program.ts'
import { waitForStore } from '../jobs/sealed.ts'
import { cleanUp } from '../shared/cleanup.ts'
import { finalVerdict } from '../shared/lifecycle.ts'
import { foreignSource } from '../shared/sources.ts'
import { isolate, probeAhead, refuseOpen } from './isolation.ts'
import { askingOf, baselines, isGraded, toRun, type Observed } from './observed.ts'
import { opponentsOf, waitForOpponents } from './opponents.ts'
import { groundwork, supervise } from './program.ts'
import { conclude, isState, states } from './reasons.ts'
import { buildPrepareJob, buildReportJob } from './resources/jobs.ts'
import { buildResults } from './resources/results.ts'
import { doneMessage, gradingMessage } from './stories.ts'

/** The life of an evaluation, top to bottom: the first policy with an opinion decides. */
export const policies: readonly Policy<Observed>[] = [
  keepFinished, // Complete and Failed are final; what is left of it goes when that is wanted
  finish, // also one that lost its status: what is reported is not graded again
  waitForStore, // what comes next depends on what lies there
  checkReferences, // before anything is created for an evaluation that can never work
  checkImages,
  (seen) => holdAsking(askingOf(seen)), // nothing is asked for while it is suspended; answers are kept
  (seen) => holdAskingAtBudget(askingOf(seen)), // after the suspension, which asks for the same and says so
  (seen) => followRun(askingOf(seen)), // behind the suspension, which may last as long
  refuseToAsk, // nobody pays for patches that cannot be graded
  generate, // once, where predictions are not given; the model is served for it, and no longer
  prepare, // once; every sandbox gets what was prepared
  isolate, // before hostile code is let into a sandbox
  hold, // behind the preparation, which is short and asks for no sandbox
  holdAtBudget, // nothing that takes a node is started below
  grade, // what a fan-out does while this is the state
  waitForOpponents, // nothing is lost meanwhile: every verdict is recorded
  report,
]

const CHECK_SECONDS = 5 // running and waiting change without anything that wakes us

function keepFinished({ evaluation, leftovers, now }: Observed): Verdict | undefined {
  const verdict = finalVerdict(evaluation)
  return verdict && { ...verdict, ...cleanUp(evaluation, leftovers, now) }
}

function finish(seen: Observed): Verdict | undefined {
  return seen.reported === undefined ? undefined : conclude('Succeeded', doneMessage(seen))
}

function checkReferences({ evaluation: { metadata: { namespace = '' }, spec }, settings: { bucket } }: Observed): Verdict | undefined {
  const problem = foreignSource([['spec.instances.s3', spec.instances.s3], ['spec.predictions.s3', spec.predictions?.s3], ['spec.generation.model.s3', spec.generation?.model.s3]], { kind: 'SWEBenchEval', namespace, bucket })
  return problem === undefined ? undefined : conclude('InvalidReference', problem)
}

function checkImages({ resolved: { pinDigests }, settings: { imagePullPolicy } }: Observed): Verdict | undefined {
  if (pinDigests !== 'Required' || imagePullPolicy !== 'Never') return undefined
  return conclude('InvalidConfiguration', 'spec.images.pinDigests is Required, but this installation never pulls images: those of its nodes have no digest to run by. Leave pinDigests out in a new SWEBenchEval, or have the pull policy of the harness changed to IfNotPresent.')
}

function refuseToAsk(seen: Observed): Verdict | undefined {
  const refusal = isToAsk(askingOf(seen)) ? refuseOpen(seen) : undefined
  return refusal && { ...refusal, remove: [...(refusal.remove ?? []), ...jobsOf(seen.askings.filter(isLive))] }
}

function generate(seen: Observed): Verdict | undefined {
  const verdict = ask(askingOf(seen))
  if (verdict === undefined || seen.caBundle === undefined || isFailure(verdict)) return verdict
  // The probe takes seconds, and hours of asking are for nothing where sandboxes are open.
  return { ...verdict, apply: [...(verdict.apply ?? []), ...groundwork(seen)], create: [...(verdict.create ?? []), ...probeAhead(seen)] }
}

function isFailure({ reason }: Verdict): boolean {
  return isState(reason) && states[reason].phase === 'Failed'
}

function prepare(seen: Observed): Verdict | undefined {
  if (toRun(seen) !== undefined) return undefined
  const next = nextRun(seen.preparations, PROGRAM_RETRIES, seen.now)
  const verdict = supervise(seen, next, { state: 'Preparing', what: 'Preparing the predictions', does: 'reads and checks instances and predictions', children: seen.preparations, build: (number) => [buildPrepareJob(seen.evaluation, seen.resolved, seen.settings, number)] })
  // The probe takes seconds, which are none while the preparation runs beside it.
  return next.kind === 'GiveUp' || seen.caBundle === undefined ? verdict : { ...verdict, create: [...(verdict.create ?? []), ...probeAhead(seen)] }
}

function hold(seen: Observed): Verdict | undefined {
  if (seen.evaluation.spec.suspend !== true || isGraded(seen)) return undefined
  const running = seen.progress?.running ?? 0
  if (running > 0) return conclude('Suspending', `${running} sandboxes finish; none starts.`, { again: CHECK_SECONDS })
  return conclude('Suspended', 'No sandbox runs. spec.suspend false goes on with the predictions that have no verdict yet.')
}

function holdAtBudget(seen: Observed): Verdict | undefined {
  const held = isGraded(seen) ? undefined : heldByBudget(askingOf(seen))
  if (held === undefined) return undefined
  const running = seen.progress?.running ?? 0
  return running === 0 ? conclude(held.state, held.message) : conclude(held.state, `${held.message} ${running} sandboxes finish; none starts.`, { again: CHECK_SECONDS })
}

function grade(seen: Observed): Verdict | undefined {
  if (isGraded(seen)) return undefined
  return conclude('Running', gradingMessage(seen), { again: CHECK_SECONDS, apply: groundwork(seen), remove: jobsOf(seen.listeners) })
}

function report(seen: Observed): Verdict {
  const next = nextRun(seen.reports, PROGRAM_RETRIES, seen.now)
  return supervise(seen, next, { state: 'Reporting', what: 'Writing the reports', does: 'writes the reports', children: seen.reports, build: (number) => [buildResults(seen.evaluation, seen.rows, { baselines: baselines(seen), compareWith: opponentsOf(seen) }), buildReportJob(seen.evaluation, seen.settings, number)] })
}
