// Every word a TrainingRun uses to say where it stands or how an attempt ended, in one place.
import type { Verdict } from '../../operator/control/plan.ts'
import exitCodes from '../../workloads/swe_workloads/exit_codes.json' with { type: 'json' }

/** What a state means to kstatus and to `kubectl wait`. */
export type Phase = 'Progressing' | 'Held' | 'Succeeded' | 'Stalled' | 'Failed'

export type StateEntry = Readonly<{
  phase: Phase
  /** The verb of the event that announces the state. */
  action: string
  /** For the table in the README. */
  means: string
}>

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

export function isState(word: string): word is State {
  return Object.hasOwn(states, word)
}

/** A verdict in one of our states; Ready follows from what the state means. */
export function conclude(state: State, message: string, then: Omit<Partial<Verdict>, 'ready' | 'reason' | 'message'> = {}): Verdict {
  return { ready: states[state].phase === 'Succeeded' ? 'True' : 'False', reason: state, message, ...then }
}

/** `Never`: it would end the same way. `Counted`: again, within spec.retries.limit. `Always`: not the run's fault. */
export type Retry = 'Never' | 'Counted' | 'Always'

export type Ending = Readonly<{ reason: string; retry: Retry; message: string }>

/** How a program ends by its own exit code; the programs read the same table. */
export function endingOfExitCode(code: number): Ending | undefined {
  return programEndings.find((ending) => ending.code === code)
}

/** Exit codes after which Kubernetes must not try again by itself, because we decide. */
export function failingExitCodes(): readonly number[] {
  return programEndings.filter(({ code }) => code !== 0).map(({ code }) => code)
}

/** How a program is ended by others: no verdict was left, so the kubelet's evidence speaks. */
export const ended = {
  OOMKilled: { reason: 'HostOutOfMemory', retry: 'Counted', message: 'A process of the pod was killed because the container exceeded its memory limit; raise compute.memory or lower batch.perDevice.' },
  Evicted: { reason: 'Evicted', retry: 'Always', message: 'The kubelet evicted the pod.' },
  Disrupted: { reason: 'Preempted', retry: 'Always', message: 'The pod had to leave its node.' },
  NodeLost: { reason: 'NodeLost', retry: 'Always', message: 'The node of the pod is gone.' },
  Deleted: { reason: 'Deleted', retry: 'Always', message: 'The pod was deleted.' },
  Gone: { reason: 'Deleted', retry: 'Always', message: 'Job and pod are gone and left no verdict.' },
  DeadlineExceeded: { reason: 'DeadlineExceeded', retry: 'Counted', message: 'The Job ran into a deadline that somebody set; remove its activeDeadlineSeconds.' },
  Crashed: { reason: 'Crashed', retry: 'Counted', message: 'The program ended without a verdict; its log may tell more: kubectl logs.' },
} as const satisfies Record<string, Ending>

/** Reasons this version does not know, such as those of a newer program, are counted: neither endless nor final. */
export function retryOf(reason: string): Retry {
  const known = endings.find((ending) => ending.reason === reason)
  return known?.retry ?? 'Counted'
}

/** What the table says to do about an end of this reason, whatever the program itself said. */
export function remedyFor(reason: string): string | undefined {
  return [...programEndings, ...Object.values(ended)].find((ending) => ending.reason === reason)?.message
}

const programEndings: readonly (Ending & Readonly<{ code: number }>)[] = exitCodes.map((entry) => ({ ...entry, retry: parseRetry(entry.retry) }))

/** Every way in which an attempt can end. */
export const endings: readonly Ending[] = [...programEndings, ...Object.values(ended)]

function parseRetry(word: string): Retry {
  if (word === 'Never' || word === 'Counted' || word === 'Always') return word
  throw new TypeError(`exit_codes.json says retry ${JSON.stringify(word)}; known are Never, Counted, Always`)
}
