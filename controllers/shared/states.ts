/** What a state means to kstatus and to `kubectl wait`. */
export type Phase = 'Progressing' | 'Held' | 'Succeeded' | 'Stalled' | 'Failed'

export type StateEntry = Readonly<{
  phase: Phase
  /** The verb of the event that announces the state. */
  action: string
  /** For the table in the README. */
  means: string
}>
