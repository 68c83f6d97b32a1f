import type { Verdict } from '../../operator/control/plan.ts'
import type { NextRun } from '../jobs/run-once.ts'
import { runProgram, type ProgramStory } from '../jobs/run-program.ts'
import { groundwork } from './groundwork.ts'
import type { Observed } from './observed.ts'
import { conclude, isState, type State } from './reasons.ts'

/** What the Jobs of a program that has to succeed once lead to so far. */
export function supervise(seen: Observed, next: NextRun, story: ProgramStory<State>): Verdict {
  return runProgram(next, story, { ...seen, kind: 'PreferenceGen', groundwork: groundwork(seen), words: { isState, conclude } })
}
