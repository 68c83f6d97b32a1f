// For how long an attempt keeps a node from others, which is what is paid for.
import { podSeconds, secondsBetween, type Clock } from '../jobs/pod-seconds.ts'
import { finishOf, type Job } from '../shared/kinds.ts'
import { type Attempt } from './children.ts'
import type { EarlierPod } from './queue/earlier-pods.ts'

/**
 * Whole seconds from the moment its pods got their node until their program ended, or until now. Never fewer than were
 * written down before. What lives is measured at its last report and each minute after it. `earlier`: pods that its
 * queue took away, as they are told already.
 */
export function occupiedSeconds({ record, verdict, job, pods }: Attempt, clock: Clock, earlier: readonly EarlierPod[] = []): number {
  const present = pods.filter(({ metadata }) => !earlier.some(({ name }) => name === metadata.name))
  const measured = [...earlier.map(({ seconds }) => seconds), ...present.map((pod) => podSeconds(pod, job, clock))]
  // Of several pods the verdict tells of one, which may be told already.
  const isKnown = pods.length > 0 || earlier.length > 0
  const remembered = isKnown ? 0 : Math.max(verdict?.seconds ?? 0, record?.node === undefined ? 0 : secondsOfJob(job))
  return Math.max(record?.seconds ?? 0, measured.reduce((sum, seconds) => sum + seconds, remembered))
}

/** Where the pod is gone and nobody had looked in time, its Job bounds it. */
function secondsOfJob(job: Job | undefined): number {
  const finish = job && finishOf(job)
  const since = job?.status?.startTime ?? job?.metadata.creationTimestamp
  return since === undefined || finish?.lastTransitionTime === undefined ? 0 : secondsBetween(since, new Date(finish.lastTransitionTime))
}
