// For how long a pod keeps what it asked for from others, which is what is paid for.
import { finishOf, isTerminal, podCondition, type Job, type Pod } from '../shared/kinds.ts'
import { programState } from './children.ts'

export type Clock = Readonly<{
  now: Date
  /** When its program last reported, if it did. */
  reportedTime?: string | undefined
  /** How often what lives is measured. Absent: each minute. */
  stepSeconds?: number
}>

const REFRESH_SECONDS = 60 // of a pod that reports nothing: each new figure is a write; a report is one anyway

/**
 * Whole seconds from the moment the pod got its node until its program ended, or until now. What lives is measured at
 * its last report and each step after it.
 */
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

function lastLook(since: string, { now, reportedTime, stepSeconds = REFRESH_SECONDS }: Clock): Date {
  const lookedMs = Math.max(Date.parse(since), Date.parse(reportedTime ?? since))
  const refreshes = Math.max(0, Math.floor((now.getTime() - lookedMs) / 1000 / stepSeconds))
  return new Date(lookedMs + refreshes * stepSeconds * 1000)
}

/** Whole ones. */
export function secondsBetween(since: string, until: Date): number {
  return Math.max(0, Math.floor((until.getTime() - Date.parse(since)) / 1000))
}
