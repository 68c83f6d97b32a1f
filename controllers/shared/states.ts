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

/** What every kind does with its own table of states, one of which is Failed. */
export function vocabulary<State extends string>(states: Readonly<Record<State | 'Failed', StateEntry>>) {
  const isState = (word: string): word is State => Object.hasOwn(states, word)
  return {
    isState,
    /** What a reason means; one that is no state means Failed. */
    entryOf: (reason: string): StateEntry => states[isState(reason) ? reason : 'Failed'],
    /** A verdict in one of the states; Ready follows from what the state means. */
    conclude: (state: State, message: string, then: Then = {}): Verdict => ({ ready: states[state].phase === 'Succeeded' ? 'True' : 'False', reason: state, message, ...then }),
  }
}
