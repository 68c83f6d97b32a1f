// A program that has to succeed once, in a Job of its own.
import type { KubeObject } from '../../operator/api/object.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import type { vocabulary } from '../shared/states.ts'
import { jobsOf, newestPod, type Child } from './children.ts'
import type { Outcome } from './outcome.ts'
import { outdated, type NextRun } from './run-once.ts'
import { LOOK_AGAIN_SECONDS, lookAtStart } from './start.ts'
import { hasStarted } from './trouble.ts'

export const PROGRAM_RETRIES = 3

const CERTIFICATE_RETRY_SECONDS = 2

/** The states that every program may lead to. */
type Common = 'Pending' | 'Retrying' | 'WaitingForReference' | 'CannotStart' | 'Failed'

export type ProgramStory<State> = Readonly<{
  /** While it runs. */
  state: State
  what: string
  does: string
  children: readonly Child[]
  build(number: number): readonly KubeObject[]
  /** Between two tries; absent: Retrying. */
  between?: State
}>

export type Surroundings<State extends string> = Readonly<{
  /** Of the owner, for what a person is to create anew. */
  kind: string
  now: Date
  /** The certificates that pods trust, once the operator has made them. */
  caBundle?: string
  /** The newest complaint of Kubernetes about a Job that is on its way. */
  warning?: string
  /** What must be there before any pod of the owner starts. */
  groundwork: readonly KubeObject[]
  words: Pick<ReturnType<typeof vocabulary<State | Common>>, 'isState' | 'conclude'>
}>

/** What its Jobs so far lead to. */
export function runProgram<State extends string>(next: NextRun, story: ProgramStory<State | Common>, around: Surroundings<State>): Verdict {
  const { words: { conclude }, groundwork: apply } = around
  switch (next.kind) {
    case 'Live': {
      if (hasStarted(next.child)) return conclude(story.state, `Pod ${newestPod(next.child)?.metadata.name} ${story.does}.`, { apply })
      const { state, message } = lookAtStart(next.child, around.warning, around.now)
      return conclude(state ?? story.state, message, { again: LOOK_AGAIN_SECONDS, apply })
    }
    case 'Start':
      if (around.caBundle === undefined) return conclude('Pending', 'The operator is still making the certificate that pods trust.', { again: CERTIFICATE_RETRY_SECONDS })
      return conclude(story.state, `${story.what} begins.`, { apply, create: story.build(next.number), remove: jobsOf(outdated(story.children)) })
    case 'Wait':
      return conclude(story.between ?? 'Retrying', `${endedWith(story.what, next.last)} It is tried again.`, { again: next.seconds })
    case 'GiveUp':
      return giveUp(story.what, next, around)
  }
}

/** How a try of what a story is about ended. */
export function endedWith(what: string, { reason, message }: Outcome): string {
  return `${what} ended with ${reason}: ${message}`
}

type GivenUp = Readonly<{ last: Outcome; times: number }>

function giveUp<State extends string>(what: string, { last: { reason, message, retry }, times }: GivenUp, { kind, words: { isState, conclude } }: Surroundings<State>): Verdict {
  const state = retry === 'Never' && isState(reason) ? reason : 'Failed'
  return conclude(state, retry === 'Never' ? message : `${what} failed ${times} times, at last with ${reason}: ${message} Remove the cause and create a new ${kind}.`)
}
