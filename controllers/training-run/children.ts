import type { TrainingRun, TrainingRunAttempt } from '../../crds/training-run.ts'
import { hasFinalizer } from '../../operator/meta/finalizer.ts'
import { finishOf, isDecided, isTerminal, type ContainerStatus, type Job, type Pod } from '../shared/kinds.ts'
import { JOB_TRACKING_FINALIZER, numberOf, ROLE, type Role } from '../shared/labels.ts'
import { queueOf } from './queue/labels.ts'
import { readPrepareVerdict, readTrainVerdict, type PrepareVerdict, type TrainVerdict } from './verdicts.ts'

/** One numbered Job of a run with its pods, as far as they still exist. */
export type Child = Readonly<{ number: number; job?: Job; pods: readonly Pod[] }>

/** One run of the prepare program. */
export type Preparation = Child & Readonly<{ verdict?: PrepareVerdict }>

/** One try to train, put together from whatever still knows of it: status, Job, pods, store. */
export type Attempt = Child & Readonly<{
  /** As the status has it. */
  record?: TrainingRunAttempt
  verdict?: TrainVerdict
  /** It is over, no pod says how, and the store could not be asked. */
  unread?: true
  /** The pool of the node that its queue chose for it. */
  pool?: string
  /** Why nobody should train on the GPUs of that node. */
  unfit?: string
  /** Older than the oldest attempt that the status still tells of; its end was recorded once. */
  forgotten?: true
}>

export type Children = Readonly<{ jobs: readonly Job[]; pods: readonly Pod[] }>

export function preparationsOf(children: Children): readonly Preparation[] {
  return numbered(children, 'prepare', []).map((child) => {
    const { verdict } = readPrepareVerdict(lastWordOf(child))
    return { ...child, ...(verdict === undefined ? {} : { verdict }) }
  })
}

export function attemptsOf(run: TrainingRun, children: Children): readonly Attempt[] {
  const records = run.status?.attempts ?? []
  return numbered(children, 'train', records.map(({ number }) => number)).map((child) => {
    const record = records.find(({ number }) => number === child.number)
    const { verdict } = readTrainVerdict(lastWordOf(child))
    const isForgotten = record === undefined && isBeforeAll(records, child.number)
    return { ...child, ...(record === undefined ? {} : { record }), ...(verdict === undefined ? {} : { verdict }), ...(isForgotten ? { forgotten: true } : {}) }
  })
}

/** Whether something of it runs or may yet run: as long as that is so, nothing else of the run is started. */
export function isLive({ job, pods }: Child): boolean {
  return (job !== undefined && mayStartPods(job)) || pods.some((pod) => !isTerminal(pod))
}

function mayStartPods(job: Job): boolean {
  return finishOf(job) === undefined && job.metadata.deletionTimestamp === undefined
}

/** Whether the status tells, or told, how it ended; what is recorded is never rewritten. */
export function isRecorded({ record, forgotten }: Attempt): boolean {
  return forgotten === true || (record !== undefined && record.state !== 'Running')
}

/** Whether the attempt fell off the front of the table, which keeps the newest only. */
export function isBeforeAll(records: readonly TrainingRunAttempt[], number: number): boolean {
  return records.length > 0 && records.every((record) => number < record.number)
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
  const { verdict } = readTrainVerdict(programState(pod)?.terminated?.message)
  return verdict === undefined || INTERRUPTIONS.has(verdict.reason)
}

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

function lastWordOf(child: Child): string | undefined {
  return isLive(child) ? undefined : containerEnd(child)?.message
}

function numbered({ jobs, pods }: Children, role: Role, known: readonly number[]): readonly Child[] {
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
