import type { SWEBenchEval } from '../../../crds/swebench-eval.ts'
import type { TrainingRun, TrainingRunGate } from '../../../crds/training-run.ts'
import { withoutAbsent } from '../../shared/lifecycle.ts'
import { sourceOf } from '../../shared/models.ts'
import { orderEvaluation } from '../../shared/own-evaluation.ts'

export function gateName({ metadata }: TrainingRun): string {
  return `${metadata.name}-gate`
}

/** The evaluation of what a run has made. */
export function buildGateEvaluation(run: TrainingRun, { evaluation, noWorseThan }: TrainingRunGate): SWEBenchEval {
  const { metadata: { name }, spec: { cleanup, suspend } } = run
  const { generation, ...grading } = evaluation
  return orderEvaluation(run, gateName(run), withoutAbsent({
    ...grading,
    generation: { ...generation, model: { fromRun: { name, ...secretsOf(run) } } },
    compareWith: noWorseThan && [noWorseThan.name],
    cleanup,
    suspend,
  }))
}

/** The model below an adapter is read with the Secret that the run's author named. */
function secretsOf({ spec, status }: TrainingRun) {
  const { s3, hub } = (spec.lora && sourceOf(spec.model, status?.fromRun)) ?? {}
  return { secretRef: s3?.secretRef, tokenSecretRef: hub?.tokenSecretRef }
}
