// Every word a PreferenceGen uses to say where it stands, in one place. How a program ends: ../jobs/endings.ts.
import { modelStates } from '../generation/reasons.ts'
import { vocabulary, type StateEntry } from '../shared/states.ts'

/** The states: Ready's reason and status.state. */
export const states = {
  Pending: { phase: 'Progressing', action: 'Wait', means: 'The operator is not ready for it yet.' },
  Serving: modelStates.Serving,
  Generating: modelStates.Generating,
  Preparing: { phase: 'Progressing', action: 'Prepare', means: 'A pod reads instances and samples, and puts equal samples together.' },
  WaitingForReference: { phase: 'Progressing', action: 'Wait', means: 'What it refers to is not there yet: a run that is not complete, or a ConfigMap or Secret that a pod mounts. It goes on by itself once it is.' },
  Retrying: { phase: 'Progressing', action: 'Retry', means: 'A program ended early and is run again.' },
  Grading: { phase: 'Progressing', action: 'Grade', means: 'A SWEBenchEval of its own tests each patch in a sandbox.' },
  Pairing: { phase: 'Progressing', action: 'Pair', means: 'All patches are graded; a pod makes pairs of them and writes the files.' },
  StoreUnavailable: { phase: 'Progressing', action: 'Wait', means: 'The artifact store does not answer; what is decided next depends on what lies there.' },
  Suspending: { phase: 'Progressing', action: 'Suspend', means: 'What asks the model stops, and running sandboxes finish; nothing starts.' },
  Suspended: { phase: 'Held', action: 'Suspend', means: 'Held by spec.suspend; false goes on where it was.' },
  BudgetExceeded: modelStates.BudgetExceeded,
  InvalidBudget: modelStates.InvalidBudget,
  InvalidPool: modelStates.InvalidPool,
  UnusableReference: modelStates.UnusableReference,
  CannotStart: { phase: 'Stalled', action: 'Start', means: 'A pod did not start for ten minutes; it still starts once the named cause is removed.' },
  CannotGrade: { phase: 'Stalled', action: 'Grade', means: 'Its SWEBenchEval waits for a person, or another one has its name; it goes on once the named cause is removed.' },
  Succeeded: { phase: 'Succeeded', action: 'Complete', means: 'The pairs lie in the store.' },
  InvalidReference: { phase: 'Failed', action: 'CheckReferences', means: 'The specification names something this namespace may not read.' },
  InvalidConfiguration: { phase: 'Failed', action: 'GiveUp', means: 'The settings cannot be used.' },
  ModelUnusable: modelStates.ModelUnusable,
  InvalidData: { phase: 'Failed', action: 'GiveUp', means: 'The instances or samples cannot be used.' },
  GradingFailed: { phase: 'Failed', action: 'Grade', means: 'Its SWEBenchEval has failed.' },
  Failed: { phase: 'Failed', action: 'GiveUp', means: 'A program, or the server of the model, failed more often than it may.' },
} as const satisfies Record<string, StateEntry>

export type State = keyof typeof states

export const { isState, entryOf, conclude } = vocabulary(states)
