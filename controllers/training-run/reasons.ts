// Every word a TrainingRun uses to say where it stands, in one place. How an attempt ends: ../jobs/endings.ts.
import { vocabulary, type StateEntry } from '../shared/states.ts'

/** The states: Ready's reason and status.state. `Stalled` heals by itself once its cause is removed, `Failed` never does. */
export const states = {
  Pending: { phase: 'Progressing', action: 'Wait', means: 'The operator is not ready for it yet.' },
  Preparing: { phase: 'Progressing', action: 'PrepareData', means: 'A pod reads, checks and splits the data.' },
  Starting: { phase: 'Progressing', action: 'StartAttempt', means: 'A training pod is on its way.' },
  Queued: { phase: 'Progressing', action: 'Queue', means: 'The training Job waits until Kueue admits it, for the first time or again; the attempt stays the same.' },
  WaitingForReference: { phase: 'Progressing', action: 'Wait', means: 'What it refers to is not there yet: a run that is not complete, or a ConfigMap or Secret that the pod mounts. It goes on by itself once it is.' },
  Running: { phase: 'Progressing', action: 'Train', means: 'It trains.' },
  Gating: { phase: 'Progressing', action: 'Evaluate', means: 'The training is over; a SWEBenchEval of its own measures the result.' },
  Publishing: { phase: 'Progressing', action: 'Publish', means: 'The training is over; a pod gives the result to a hub.' },
  Retrying: { phase: 'Progressing', action: 'Retry', means: 'An attempt ended early; the next one continues from the newest checkpoint.' },
  StoreUnavailable: { phase: 'Progressing', action: 'Wait', means: 'The artifact store does not answer; what is decided next depends on what lies there.' },
  Suspending: { phase: 'Progressing', action: 'Suspend', means: 'The training pod writes a last checkpoint.' },
  Suspended: { phase: 'Held', action: 'Suspend', means: 'Stopped by spec.suspend; false continues from the newest checkpoint.' },
  BudgetExceeded: { phase: 'Stalled', action: 'HoldAtBudget', means: 'What spec.budget allows is spent; raising it continues from the newest checkpoint.' },
  InvalidBudget: { phase: 'Stalled', action: 'CheckBudget', means: 'Nothing can measure a limit of spec.budget; changing it continues.' },
  InvalidPool: { phase: 'Stalled', action: 'CheckPool', means: 'The operator knows no pool of this name; the run goes on once its configuration has it.' },
  UnusableReference: { phase: 'Stalled', action: 'CheckReferences', means: 'What it refers to will never be complete; the run goes on once something of that name is.' },
  CannotStart: { phase: 'Stalled', action: 'StartAttempt', means: 'A pod did not start for ten minutes; it still starts once the named cause is removed.' },
  CannotGate: { phase: 'Stalled', action: 'Evaluate', means: 'The evaluation of its gate waits for a person, has failed or lacks verdicts that could change the answer, or another one has its name; it goes on once the named cause is removed, and the run completes without once spec.gate is removed.' },
  PublishFailed: { phase: 'Stalled', action: 'Publish', means: 'The hub does not take the result, which lies in the store; it is tried again every ten minutes and is Stalled until a try succeeds, and the run completes without once spec.publish is removed.' },
  Succeeded: { phase: 'Succeeded', action: 'Complete', means: 'The result lies in the store.' },
  InvalidReference: { phase: 'Failed', action: 'CheckReferences', means: 'The specification names something this namespace may not read.' },
  InvalidConfiguration: { phase: 'Failed', action: 'GiveUp', means: 'The settings cannot be used.' },
  InvalidData: { phase: 'Failed', action: 'GiveUp', means: 'The data cannot be used.' },
  ModelUnusable: { phase: 'Failed', action: 'GiveUp', means: 'The base model or its tokenizer cannot be loaded.' },
  CUDAOutOfMemory: { phase: 'Failed', action: 'GiveUp', means: 'The GPU has too little memory for these settings.' },
  Diverged: { phase: 'Failed', action: 'GiveUp', means: 'The loss is no longer a finite number.' },
  GateFailed: { phase: 'Failed', action: 'Evaluate', means: 'The result is not what spec.gate asks for; it lies in the store.' },
  Failed: { phase: 'Failed', action: 'GiveUp', means: 'Attempts failed more often than spec.retries allows, or five in a row got no further.' },
} as const satisfies Record<string, StateEntry>

export type State = keyof typeof states

export const { isState, entryOf, conclude } = vocabulary(states)
