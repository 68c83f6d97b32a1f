// Every word a TrainingRun uses to say where it stands, in one place. How an attempt ends: ../jobs/endings.ts.
import { vocabulary, type StateEntry } from '../shared/states.ts'

/** The states: Ready's reason and status.state. `Stalled` heals by itself once its cause is removed, `Failed` never does. */
export const states = {
  Pending: { phase: 'Progressing', action: 'Wait', means: 'The operator is not ready for it yet.' },
  Preparing: { phase: 'Progressing', action: 'PrepareData', means: 'A pod reads, checks and splits the data.' },
  Starting: { phase: 'Progressing', action: 'StartAttempt', means: 'A training pod is on its way.' },
  Queued: { phase: 'Progressing', action: 'Queue', means: 'The training Job waits until Kueue admits it, for the first time or again; the attempt stays the same.' },
  WaitingForReference: { phase: 'Progressing', action: 'Wait', means: 'A ConfigMap or Secret that the pod mounts does not exist yet; create it and the pod starts by itself.' },
  Running: { phase: 'Progressing', action: 'Train', means: 'It trains.' },
  Retrying: { phase: 'Progressing', action: 'Retry', means: 'An attempt ended early; the next one continues from the newest checkpoint.' },
  StoreUnavailable: { phase: 'Progressing', action: 'Wait', means: 'The artifact store does not answer; what is decided next depends on what lies there.' },
  Suspending: { phase: 'Progressing', action: 'Suspend', means: 'The training pod writes a last checkpoint.' },
  Suspended: { phase: 'Held', action: 'Suspend', means: 'Stopped by spec.suspend; false continues from the newest checkpoint.' },
  BudgetExceeded: { phase: 'Stalled', action: 'HoldAtBudget', means: 'What spec.budget allows is spent; raising it continues from the newest checkpoint.' },
  InvalidBudget: { phase: 'Stalled', action: 'CheckBudget', means: 'Nothing can measure a limit of spec.budget; changing it continues.' },
  InvalidPool: { phase: 'Stalled', action: 'CheckPool', means: 'The operator knows no pool of this name; the run goes on once its configuration has it.' },
  CannotStart: { phase: 'Stalled', action: 'StartAttempt', means: 'A pod did not start for ten minutes; it still starts once the named cause is removed.' },
  Succeeded: { phase: 'Succeeded', action: 'Complete', means: 'The result lies in the store.' },
  InvalidReference: { phase: 'Failed', action: 'CheckReferences', means: 'The specification names something this namespace may not read.' },
  InvalidConfiguration: { phase: 'Failed', action: 'GiveUp', means: 'The settings cannot be used.' },
  InvalidData: { phase: 'Failed', action: 'GiveUp', means: 'The data cannot be used.' },
  ModelUnusable: { phase: 'Failed', action: 'GiveUp', means: 'The base model or its tokenizer cannot be loaded.' },
  CUDAOutOfMemory: { phase: 'Failed', action: 'GiveUp', means: 'The GPU has too little memory for these settings.' },
  Diverged: { phase: 'Failed', action: 'GiveUp', means: 'The loss is no longer a finite number.' },
  Failed: { phase: 'Failed', action: 'GiveUp', means: 'Attempts failed more often than spec.retries allows, or five in a row got no further.' },
} as const satisfies Record<string, StateEntry>

export type State = keyof typeof states

export const { isState, conclude } = vocabulary(states)
