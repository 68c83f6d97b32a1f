// Every word for where the asking of a model stands. Each asker has them all in its own table.
import type { Verdict } from '../../operator/control/plan.ts'
import type { StateEntry } from '../shared/states.ts'

/** States that are about the model alone, and mean the same for every asker. */
export const modelStates = {
  Serving: { phase: 'Progressing', action: 'Serve', means: 'A pod fetches the model that is asked, and loads it.' },
  Generating: { phase: 'Progressing', action: 'Generate', means: 'A pod asks the model for patches, and keeps every answer.' },
  InvalidPool: { phase: 'Stalled', action: 'Serve', means: 'spec.generation.serving.pool is no pool with GPUs of this operator; it goes on once the operator knows it.' },
  UnusableReference: { phase: 'Stalled', action: 'CheckReferences', means: 'The run whose model is to be asked will never be complete; it goes on once one of that name is.' },
  BudgetExceeded: { phase: 'Stalled', action: 'HoldAtBudget', means: 'What spec.budget allows is spent; raising it goes on with the samples and verdicts that are missing.' },
  InvalidBudget: { phase: 'Stalled', action: 'CheckBudget', means: 'Nothing can measure a limit of spec.budget; changing it continues.' },
  ModelUnusable: { phase: 'Failed', action: 'GiveUp', means: 'The model that is to be asked cannot be used.' },
} as const satisfies Record<string, StateEntry>

const OTHERS = ['Pending', 'Retrying', 'WaitingForReference', 'CannotStart', 'Suspending', 'Suspended', 'InvalidReference', 'InvalidConfiguration', 'InvalidData', 'Failed'] as const

export type State = keyof typeof modelStates | (typeof OTHERS)[number]

export function isState(word: string): word is State {
  return Object.hasOwn(modelStates, word) || OTHERS.some((state) => state === word)
}

/** The states in which the budget lets nothing start. */
export type HeldState = 'BudgetExceeded' | 'InvalidBudget'

export function isHeldState(word: string | undefined): word is HeldState {
  return word === 'BudgetExceeded' || word === 'InvalidBudget'
}

/** A verdict in one of them, by the asker's own table. */
export type Conclude = (state: State, message: string, then?: Partial<Pick<Verdict, 'apply' | 'create' | 'remove' | 'again'>>) => Verdict
