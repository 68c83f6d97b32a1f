import { secondsLeft } from './backoff.ts'
import { newestPod, type Child } from './children.ts'
import { queueOf } from './queue-labels.ts'
import { troubleOf } from './trouble.ts'

const START_DEADLINE_SECONDS = 600 // a large image on a slow link is there by then; a wrong name never is
export const LOOK_AGAIN_SECONDS = 15 // what keeps a pod from starting shows in events, which wake nobody

/** What is to be said about a child whose program has not begun; without a state it is on its way. */
export type Start = Readonly<{ state?: 'CannotStart' | 'WaitingForReference'; message: string }>

/** `warning` is the newest complaint of Kubernetes about it. */
export function lookAtStart(child: Child, warning: string | undefined, now: Date): Start {
  const trouble = troubleOf(child, warning)
  const since = mayStartSince(child)
  const isLate = since !== undefined && secondsLeft(since, START_DEADLINE_SECONDS, now) === 0
  if (isLate && trouble?.kind !== 'Capacity' && (trouble !== undefined || child.pods.length === 0)) {
    const cause = trouble?.message ?? `Job ${child.job?.metadata.name} gets no pod.`
    return { state: 'CannotStart', message: `${cause} This has lasted for ${START_DEADLINE_SECONDS / 60} minutes; it still starts once the cause is removed.` }
  }
  const message = trouble?.message ?? startMessage(child)
  return trouble?.kind === 'Reference' ? { state: 'WaitingForReference', message } : { message }
}

/** A queue may have kept it waiting for hours; its Job counts from when it was let go, and anew each time. */
function mayStartSince(child: Child): string | undefined {
  const { job } = child
  if (job !== undefined && queueOf(job) !== undefined) return job.status?.startTime
  return (job ?? newestPod(child))?.metadata.creationTimestamp
}

function startMessage(child: Child): string {
  const pod = newestPod(child)
  return pod ? `Pod ${pod.metadata.name} is starting.` : `Job ${child.job?.metadata.name} has no pod yet.`
}
