// The SWEBenchEval whose resolved predictions a run learns from.
import type { SWEBenchEval } from '../../crds/swebench-eval.ts'
import type { TrainingRun, TrainingRunPredictions } from '../../crds/training-run.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { follow, takenFrom, type Followed } from './followed.ts'
import type { Observed } from './observed.ts'

const RESOLVED = 'resolved.jsonl'

type Seen = Pick<Observed, 'run' | 'referredEvaluation'>

/** Policy. */
export function followEvaluation(seen: Observed): Verdict | undefined {
  return follow(followed(seen))
}

export function describePredictions(seen: Seen): TrainingRunPredictions | undefined {
  return takenFrom(followed(seen))
}

/** The name of the evaluation that this one waits for. */
export function awaitedEvaluation({ spec, status }: TrainingRun): string | undefined {
  return status?.fromEval === undefined ? spec.data.trajectories?.fromEval?.name : undefined
}

function followed({ run, referredEvaluation }: Seen): Followed<SWEBenchEval, TrainingRunPredictions> {
  return {
    field: 'spec.data.trajectories.fromEval',
    kind: 'SWEBenchEval',
    name: awaitedEvaluation(run),
    found: referredEvaluation,
    taken: run.status?.fromEval,
    take: predictionsIn,
    tells: ({ uri }) => `what it resolved at ${uri} is what is learned from.`,
    lacks: (found) => `${whyNothing(found)}. Delete it and create one of that name with other predictions, or name another one in a new TrainingRun.`,
  }
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
