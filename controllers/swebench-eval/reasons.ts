// Every word a SWEBenchEval uses to say where it stands, in one place. How a program ends: ../jobs/endings.ts.
import { modelStates } from '../generation/reasons.ts'
import { vocabulary, type StateEntry } from '../shared/states.ts'

/** The states: Ready's reason and status.state. */
export const states = {
  Pending: { phase: 'Progressing', action: 'Wait', means: 'The operator is not ready for it yet.' },
  Serving: modelStates.Serving,
  Generating: modelStates.Generating,
  Preparing: { phase: 'Progressing', action: 'Prepare', means: 'A pod reads and checks instances and predictions.' },
  Probing: { phase: 'Progressing', action: 'Probe', means: 'A pod with the profile of a sandbox tries to get out.' },
  WaitingForReference: { phase: 'Progressing', action: 'Wait', means: 'What it refers to is not there yet: a run whose model is to be asked, or an evaluation to compare with, that is not complete, or a ConfigMap or Secret that a pod mounts. It goes on by itself once it is.' },
  Retrying: { phase: 'Progressing', action: 'Retry', means: 'A program ended early and is run again.' },
  Running: { phase: 'Progressing', action: 'Grade', means: 'Predictions are tested in their sandboxes.' },
  Reporting: { phase: 'Progressing', action: 'Report', means: 'All verdicts are there; a pod writes the reports.' },
  StoreUnavailable: { phase: 'Progressing', action: 'Wait', means: 'The artifact store does not answer; what is decided next depends on what lies there.' },
  Suspending: { phase: 'Progressing', action: 'Suspend', means: 'What asks the model stops, and running sandboxes finish; nothing starts.' },
  Suspended: { phase: 'Held', action: 'Suspend', means: 'Held by spec.suspend; false goes on with the samples or verdicts that are missing.' },
  BudgetExceeded: modelStates.BudgetExceeded,
  InvalidBudget: modelStates.InvalidBudget,
  InvalidPool: modelStates.InvalidPool,
  UnusableReference: { ...modelStates.UnusableReference, means: 'The run whose model is to be asked will never be complete, or evaluations that are compared with each other wait for each other; it goes on once the named cause is removed.' },
  CannotStart: { phase: 'Stalled', action: 'Start', means: 'A pod did not start for ten minutes; it still starts once the named cause is removed.' },
  Succeeded: { phase: 'Succeeded', action: 'Complete', means: 'Every prediction has its verdict, and the reports lie in the store.' },
  InvalidReference: { phase: 'Failed', action: 'CheckReferences', means: 'The specification names something this namespace may not read.' },
  InvalidConfiguration: { phase: 'Failed', action: 'GiveUp', means: 'The settings cannot be used.' },
  ModelUnusable: modelStates.ModelUnusable,
  InvalidData: { phase: 'Failed', action: 'GiveUp', means: 'The instances or predictions cannot be used.' },
  NotIsolated: { phase: 'Failed', action: 'Probe', means: 'A pod with the profile of a sandbox got further than it may, and nobody accepted that.' },
  Failed: { phase: 'Failed', action: 'GiveUp', means: 'A program, or the server of the model, failed more often than it may.' },
} as const satisfies Record<string, StateEntry>

export type State = keyof typeof states

export const { isState, entryOf, conclude } = vocabulary(states)
