import { z } from 'zod'
import { refOf, type ObjectRef } from '../../operator/api/object.ts'
import { hasFinalizer } from '../../operator/meta/finalizer.ts'
import { finishOf, isDecided, isTerminal, type ContainerStatus, type Job, type Pod } from '../shared/kinds.ts'
import { JOB_TRACKING_FINALIZER, numberOf, ROLE, type Role } from '../shared/labels.ts'
import { queueOf } from './queue-labels.ts'
import { readVerdict } from './verdict.ts'

/** One numbered Job of a resource with its pods, as far as they still exist. */
export type Child = Readonly<{ number: number; job?: Job; pods: readonly Pod[] }>

export type Children = Readonly<{ jobs: readonly Job[]; pods: readonly Pod[] }>

/** Whether something of it runs or may yet run: as long as that is so, nothing else of the run is started. */
export function isLive({ job, pods }: Child): boolean {
  return (job !== undefined && mayStartPods(job)) || pods.some((pod) => !isTerminal(pod))
}

function mayStartPods(job: Job): boolean {
  return finishOf(job) === undefined && job.metadata.deletionTimestamp === undefined
}

/** The pod that counts: the newest, unless its queue took it away and the Job is yet to make another. */
export function newestPod(child: Child): Pod | undefined {
  const taken = new Set(takenAway(child))
  return inOrder(child.pods.filter((pod) => !taken.has(pod))).at(-1)
}

/** Pods that ended because the queue suspended their Job: the attempt goes on in another one. Oldest first. */
export function takenAway({ job, pods }: Child): readonly Pod[] {
  if (job === undefined || queueOf(job) === undefined || !mayStartPods(job) || isDecided(job)) return []
  return inOrder(pods.filter(isInterrupted))
}

// What it could not save in time it does again; any other ending would only be repeated.
const INTERRUPTIONS = new Set(['Preempted', 'StoreUnavailable'])

/** The job controller lets go of a pod that it deletes for a suspension before it ends, of any other only afterwards. */
function isInterrupted(pod: Pod): boolean {
  if (!isTerminal(pod) || pod.metadata.deletionTimestamp === undefined || hasFinalizer(pod, JOB_TRACKING_FINALIZER)) return false
  const reason = reasonIn(programState(pod)?.terminated?.message)
  return reason === undefined || INTERRUPTIONS.has(reason)
}

/** Of a verdict; undefined if it left none that can be read. */
function reasonIn(message: string | undefined): string | undefined {
  return readVerdict(reasonSchema, message).verdict?.reason
}

const reasonSchema = z.object({ reason: z.string() })

function inOrder(pods: readonly Pod[]): readonly Pod[] {
  return pods.toSorted((one, other) => createdAt(one).localeCompare(createdAt(other)))
}

/** The state of the container that runs our program; admission may have put others, such as a mesh's proxy, beside it. */
export function programState(pod: Pod | undefined): ContainerStatus['state'] {
  const statuses = pod?.status?.containerStatuses ?? []
  return (statuses.find(({ name }) => name === pod?.metadata.labels?.[ROLE]) ?? statuses[0])?.state
}

/** How the program of the newest pod ended. */
export function containerEnd(child: Child): NonNullable<ContainerStatus['state']>['terminated'] {
  return programState(newestPod(child))?.terminated
}

/** When it was over, as exactly as anything that is left of it tells. */
export function endTimeOf(child: Child): string | undefined {
  const finish = child.job && finishOf(child.job)
  return containerEnd(child)?.finishedAt ?? finish?.lastTransitionTime
}

/** The termination message, once nothing of the child lives. */
export function lastWordOf(child: Child): string | undefined {
  return isLive(child) ? undefined : containerEnd(child)?.message
}

/** Their Jobs, to be deleted: those that still exist and are not going already. Pods end with the grace period. */
export function jobsOf(children: readonly Child[]): readonly ObjectRef[] {
  return children.flatMap(({ job }) => (job === undefined || job.metadata.deletionTimestamp !== undefined ? [] : [refOf(job)]))
}

/** The Jobs and pods of one role, put together by number; `known` are numbers of which perhaps nothing is left. */
export function numbered({ jobs, pods }: Children, role: Role, known: readonly number[]): readonly Child[] {
  const ours = [...jobs, ...pods].filter((object) => object.metadata.labels?.[ROLE] === role)
  const numbers = new Set([...known, ...ours.flatMap((object) => numberOf(object) ?? [])])
  return [...numbers].sort((one, other) => one - other).map((number) => {
    const job = jobs.find((one) => isNumbered(one, role, number))
    return { number, ...(job === undefined ? {} : { job }), pods: pods.filter((pod) => isNumbered(pod, role, number)) }
  })
}

function isNumbered(object: Job | Pod, role: Role, number: number): boolean {
  return object.metadata.labels?.[ROLE] === role && numberOf(object) === number
}

function createdAt(pod: Pod): string {
  return pod.metadata.creationTimestamp ?? ''
}
