// For how long an attempt keeps a node from others, which is what is paid for.
import { programState } from '../jobs/children.ts'
import { finishOf, isTerminal, podCondition, type Job, type Pod } from '../shared/kinds.ts'
import { type Attempt } from './children.ts'
import type { EarlierPod } from './queue/earlier-pods.ts'

export type Clock = Readonly<{
  now: Date
  /** When the attempt last reported, if it did. */
  reportedTime?: string | undefined
}>

const REFRESH_SECONDS = 60 // of an attempt that reports nothing: each new figure is a write; a report is one anyway

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

/** The same of one pod, from the moment it got its node. */
export function podSeconds(pod: Pod, job: Job | undefined, clock: Clock): number {
  const since = placedTime(pod)
  if (since === undefined) return 0
  return secondsBetween(since, isOver(pod) ? endOf(pod, job, clock.now) : lastLook(since, clock))
}

/** From here on nobody else can have what the pod asked for, even while its image is still pulled. */
function placedTime(pod: Pod): string | undefined {
  const scheduled = podCondition(pod, 'PodScheduled')
  if (scheduled?.status === 'True' && scheduled.lastTransitionTime !== undefined) return scheduled.lastTransitionTime
  const { running, terminated } = programState(pod) ?? {}
  return running?.startedAt ?? terminated?.startedAt ?? pod.status?.startTime
}

function isOver(pod: Pod): boolean {
  return isTerminal(pod) || programState(pod)?.terminated !== undefined
}

/** As exactly as anything tells: the kubelet of a lost node says nothing any more. */
function endOf(pod: Pod, job: Job | undefined, now: Date): Date {
  const finish = job && finishOf(job)
  const told = programState(pod)?.terminated?.finishedAt ?? podCondition(pod, 'DisruptionTarget')?.lastTransitionTime ?? finish?.lastTransitionTime
  return told === undefined ? now : new Date(told)
}

function lastLook(since: string, { now, reportedTime }: Clock): Date {
  const lookedMs = Math.max(Date.parse(since), Date.parse(reportedTime ?? since))
  const refreshes = Math.max(0, Math.floor((now.getTime() - lookedMs) / 1000 / REFRESH_SECONDS))
  return new Date(lookedMs + refreshes * REFRESH_SECONDS * 1000)
}

/** Where the pod is gone and nobody had looked in time, its Job bounds it. */
function secondsOfJob(job: Job | undefined): number {
  const finish = job && finishOf(job)
  const since = job?.status?.startTime ?? job?.metadata.creationTimestamp
  return since === undefined || finish?.lastTransitionTime === undefined ? 0 : secondsBetween(since, new Date(finish.lastTransitionTime))
}

function secondsBetween(since: string, until: Date): number {
  return Math.max(0, Math.floor((until.getTime() - Date.parse(since)) / 1000))
}
