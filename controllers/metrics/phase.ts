import type { Phase } from '../shared/states.ts'
import { secondsLeft } from '../jobs/backoff.ts'
import type { TrainingRun } from '../../crds/training-run.ts'
import { conditionOf } from '../../operator/meta/conditions.ts'
import { isState, states } from '../training-run/reasons.ts'

const SHOWN_AFTER_END_SECONDS = 3600 // an alert's route waits minutes before it tells anybody

/** What a run's state means; a word of another version is one of a run that goes on. */
export function phaseOf({ status }: TrainingRun): Phase {
  const state = status?.state ?? 'Pending'
  return isState(state) ? states[state].phase : 'Progressing'
}

/** Whether a run has not ended, or did so within the hour. */
export function isRecent(run: TrainingRun, now: Date): boolean {
  const end = { Succeeded: 'Complete', Failed: 'Failed', Progressing: undefined, Held: undefined, Stalled: undefined }[phaseOf(run)]
  return end === undefined || secondsLeft(conditionOf(run.status?.conditions, end)?.lastTransitionTime, SHOWN_AFTER_END_SECONDS, now) > 0
}
