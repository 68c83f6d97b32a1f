import { secondsLeft } from '../../jobs/backoff.ts'
import { type Child, isLive, newestPod } from '../../jobs/children.ts'
import { refOf } from '../../../operator/api/object.ts'
import type { Verdict } from '../../../operator/control/plan.ts'
import { isTerminal } from '../../shared/kinds.ts'
import type { Observed } from '../observed.ts'
import { conclude } from '../reasons.ts'
import { inputsIfChanged, stuckHint } from '../supervision.ts'
import { isQueued } from './look.ts'
import { waitingIn, type Waiting } from './words.ts'

const LOOK_AGAIN_SECONDS = 15 // what Kueue writes into its Workload wakes nobody here
const PATIENCE_SECONDS = 600 // as for a pod that does not start: by then a restart of Kueue is over

/**
 * What is said while a Job waits in its queue; it lives, and nothing of it is written. A preparation has a queue only
 * where Kueue gives every Job of the namespace one.
 */
export function waitInQueue(seen: Observed): Verdict | undefined {
  const child = [...seen.preparations, ...seen.attempts].findLast(isLive)
  if (!child?.job || !isQueued(child)) return undefined
  const waiting = waitingIn(child.job, seen.queue)
  const pod = newestPod(child)
  // It came to its own end while it was sent back: another pod of the same Job would do it again.
  if (pod && isTerminal(pod)) return conclude('Queued', `The program of pod ${pod.metadata.name} has ended.`, { remove: [refOf(child.job)], again: LOOK_AGAIN_SECONDS })
  const ending = pod ? ` Pod ${pod.metadata.name} gets up to ${seen.resolved.gracePeriodSeconds} s to write a last checkpoint.${stuckHint(pod, seen.now)}` : ''
  const state = isHopeless(seen, child, waiting) ? 'CannotStart' : 'Queued'
  return conclude(state, `${waiting.message}${ending}`, { apply: inputsIfChanged(seen), again: LOOK_AGAIN_SECONDS })
}

/** It will not start without somebody: at once where Kueue gave up, else once it has lasted. */
function isHopeless({ now }: Observed, { job }: Child, { kind }: Waiting): boolean {
  if (kind === 'Ended') return true
  return kind !== 'Passes' && secondsLeft(job?.metadata.creationTimestamp, PATIENCE_SECONDS, now) === 0
}
