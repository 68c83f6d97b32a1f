// Where a run's model is read from, as far as it is known by now.
import type { TrainingRun } from '../../crds/training-run.ts'
import { secretOf, sourceOf, type ModelSource } from '../shared/models.ts'

/** The model whose weights are read first; undefined while the run waits for the one that it continues. */
export function modelSource({ spec, status }: TrainingRun): ModelSource | undefined {
  return sourceOf(spec.model, status?.fromRun)
}

/** The name of the Secret that reading it takes. */
export function modelSecret(run: TrainingRun): string | undefined {
  return secretOf(modelSource(run))
}
