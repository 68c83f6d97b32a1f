// The SWEBenchEval whose resolved predictions a run learns from: waited for, then frozen.
import type { SWEBenchEval } from '../../crds/swebench-eval.ts'
import type { TrainingRun, TrainingRunPredictions } from '../../crds/training-run.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { isComplete } from '../shared/lifecycle.ts'
import { waitFor } from '../shared/references.ts'
import type { Observed } from './observed.ts'
import { conclude } from './reasons.ts'

const FIELD = 'spec.data.trajectories.fromEval'
const RESOLVED = 'resolved.jsonl'

/** Policy: where the predictions lie is taken down in the status before anything is made of them. */
export function followEvaluation(seen: Observed): Verdict | undefined {
  const name = awaitedEvaluation(seen.run)
  if (name === undefined) return undefined
  return waitFor({ field: FIELD, kind: 'SWEBenchEval', name, found: seen.referredEvaluation }, conclude) ?? begin(name, seen)
}

/** Frozen once the evaluation is complete and has resolved something; undefined before. */
export function describePredictions({ run, referredEvaluation }: Pick<Observed, 'run' | 'referredEvaluation'>): TrainingRunPredictions | undefined {
  if (awaitedEvaluation(run) === undefined || referredEvaluation === undefined) return run.status?.fromEval
  return isComplete(referredEvaluation) ? predictionsIn(referredEvaluation) : undefined
}

/** The name of the evaluation that this one waits for. */
export function awaitedEvaluation({ spec, status }: TrainingRun): string | undefined {
  return status?.fromEval === undefined ? spec.data.trajectories?.fromEval?.name : undefined
}

function begin(name: string, seen: Observed): Verdict {
  const found = describePredictions(seen)
  if (found !== undefined) return conclude('Preparing', `SWEBenchEval ${name} is complete: what it resolved at ${found.uri} is what is learned from.`)
  return conclude('UnusableReference', `SWEBenchEval ${name} is complete and ${whyNothing(seen.referredEvaluation)}. Delete it and create one of that name with other predictions, or name another one in a new TrainingRun.`)
}

function whyNothing(evaluation: SWEBenchEval | undefined): string {
  if (evaluation?.spec.dryRun === true) return 'ran no test, because its spec.dryRun is true'
  if ((evaluation?.status?.counts?.resolved ?? 0) === 0) return 'resolved no prediction'
  return `resolved none that can be learned from: its ${RESOLVED} is missing, because every log is in doubt (status.integrity), or because an earlier version of the operator made it`
}

function predictionsIn({ metadata: { name, uid = '' }, status }: SWEBenchEval): TrainingRunPredictions | undefined {
  const file = status?.artifacts?.find((artifact) => artifact.name === RESOLVED)
  const resolved = status?.counts?.resolved ?? 0
  return file === undefined || resolved === 0 ? undefined : { name, uid, uri: file.uri, sha256: file.sha256, resolved }
}
