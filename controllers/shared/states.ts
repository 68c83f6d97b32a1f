import type { Verdict } from '../../operator/control/plan.ts'

/** What a state means to kstatus and to `kubectl wait`. */
export type Phase = 'Progressing' | 'Held' | 'Succeeded' | 'Stalled' | 'Failed'

export type StateEntry = Readonly<{
  phase: Phase
  /** The verb of the event that announces the state. */
  action: string
  /** For the table in the README. */
  means: string
}>

type Then = Omit<Partial<Verdict>, 'ready' | 'reason' | 'message'>

/** The two things that every kind does with its own table of states. */
export function vocabulary<State extends string>(states: Readonly<Record<State, StateEntry>>) {
  return {
    isState: (word: string): word is State => Object.hasOwn(states, word),
    /** A verdict in one of the states; Ready follows from what the state means. */
    conclude: (state: State, message: string, then: Then = {}): Verdict => ({ ready: states[state].phase === 'Succeeded' ? 'True' : 'False', reason: state, message, ...then }),
  }
}
