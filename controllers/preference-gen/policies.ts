import type { Policy, Verdict } from '../../operator/control/plan.ts'
import { conditionOf } from '../../operator/meta/conditions.ts'
import { nextRun } from '../jobs/run-once.ts'
import { PROGRAM_RETRIES } from '../jobs/run-program.ts'
import { waitForStore } from '../jobs/sealed.ts'
import { cleanUp } from '../shared/cleanup.ts'
import { finalVerdict, isComplete } from '../shared/lifecycle.ts'
import { superviseEvaluation } from '../shared/own-evaluation.ts'
import { foreignSource } from '../shared/sources.ts'
import { orderOf } from './grading.ts'
import { followRun } from '../generation/from-run.ts'
import { ask, holdAsking, holdAskingAtBudget } from '../generation/policies.ts'
import { askingOf, preparedPrefix, type Observed } from './observed.ts'
import { supervise } from './program.ts'
import { conclude } from './reasons.ts'
import { buildPrepareJob, buildReportJob } from './resources/jobs.ts'
import { buildResults } from './resources/results.ts'
import { doneMessage } from './stories.ts'

/** The life of a PreferenceGen, top to bottom: the first policy with an opinion decides. */
export const policies: readonly Policy<Observed>[] = [
  keepFinished, // Complete and Failed are final; what is left of it goes when that is wanted
  finish, // also one that lost its status: what is paired is not graded again
  waitForStore, // what comes next depends on what lies there
  checkReferences, // before anything is created for one that can never work
  (seen) => holdAsking(askingOf(seen)), // nothing is asked for while it is suspended; answers are kept
  (seen) => holdAskingAtBudget(askingOf(seen)), // after the suspension, which asks for the same and says so
  (seen) => followRun(askingOf(seen)), // behind the suspension, which may last as long
  (seen) => ask(askingOf(seen)), // once, where samples are not given; the model is served for it, and no longer
  prepare, // once; what is graded and paired is what was prepared
  (seen) => superviseEvaluation(orderOf(seen)), // held behind the preparation, which is short and asks for no sandbox
  failWithEvaluation,
  report,
]

function keepFinished({ generation, leftovers, now }: Observed): Verdict | undefined {
  const verdict = finalVerdict(generation)
  return verdict && { ...verdict, ...cleanUp(generation, leftovers, now) }
}

function finish(seen: Observed): Verdict | undefined {
  return seen.reported === undefined ? undefined : conclude('Succeeded', doneMessage(seen))
}

function checkReferences({ generation: { metadata: { namespace = '' }, spec }, settings: { bucket } }: Observed): Verdict | undefined {
  const evaluations = (spec.decontamination?.against ?? []).map(({ s3 }, at) => [`spec.decontamination.against[${at}].s3`, s3] as const)
  const sources = [['spec.instances.s3', spec.instances.s3], ['spec.predictions.s3', spec.predictions?.s3], ['spec.generation.model.s3', spec.generation?.model.s3], ...evaluations] as const
  const problem = foreignSource(sources, { kind: 'PreferenceGen', namespace, bucket })
  return problem === undefined ? undefined : conclude('InvalidReference', problem)
}

function prepare(seen: Observed): Verdict | undefined {
  if (preparedPrefix(seen) !== undefined) return undefined
  const next = nextRun(seen.preparations, PROGRAM_RETRIES, seen.now)
  return supervise(seen, next, { state: 'Preparing', what: 'Preparing the samples', does: 'reads instances and samples', children: seen.preparations, build: (number) => [buildPrepareJob(seen.generation, seen.settings, number)] })
}

function failWithEvaluation({ evaluation }: Observed): Verdict | undefined {
  if (evaluation === undefined || isComplete(evaluation)) return undefined
  const said = conditionOf(evaluation.status?.conditions, 'Failed')?.message ?? ''
  return conclude('GradingFailed', `SWEBenchEval ${evaluation.metadata.name} has failed: ${said} Remove the cause and create a new PreferenceGen.`)
}

function report(seen: Observed): Verdict {
  const next = nextRun(seen.reports, PROGRAM_RETRIES, seen.now)
  const results = seen.evaluation === undefined ? [] : [buildResults(seen.generation, seen.evaluation)]
  return supervise(seen, next, { state: 'Pairing', what: 'Making pairs', does: 'makes pairs and writes the files', children: seen.reports, build: (number) => [...results, buildReportJob(seen.generation, seen.settings, number)] })
}

