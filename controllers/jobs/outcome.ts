import { cut } from '../shared/text.ts'
import { ended, type Ending, endingOfExitCode, retryOf } from './endings.ts'
import { finishOf, podCondition, type ContainerState, type Pod } from '../shared/kinds.ts'
import { containerEnd, newestPod, type Child } from './children.ts'

/** How a child ended and whether that may be tried again. */
export type Outcome = Ending & Readonly<{ exitCode?: number }>

export type Terminated = NonNullable<ContainerState['terminated']>

const MESSAGE_MAX = 2048 // the status keeps twenty of them
const LOG_TAIL_MAX = 1024 // a status is no place for logs; this is enough for the last exception

/** The program's own verdict where there is one, else what the kubelet and the API server saw. */
export function outcomeOf(child: Child & Readonly<{ verdict?: Said }>): Outcome {
  const { verdict } = child
  const exitCode = containerEnd(child)?.exitCode
  if (!verdict) {
    const evidence = evidenceOf(child)
    return { ...evidence, message: cut(evidence.message, MESSAGE_MAX), ...(exitCode === undefined ? {} : { exitCode }) }
  }
  return outcomeIn(verdict)
}

/** What a program said of its own end. */
export type Said = Readonly<{ exitCode: number; reason: string; message: string }>

function evidenceOf(child: Child): Ending {
  const pod = newestPod(child)
  if (!pod) return evidenceOfJob(child)
  const end = containerEnd(child)
  if (end?.reason === 'OOMKilled') return ended.OOMKilled
  const removal = evidenceOfRemoval(pod)
  if (removal) return removal
  if (!end) return evidenceOfRefusal(pod) ?? evidenceOfJob(child)
  return (end.exitCode === 0 ? undefined : endingOfExitCode(end.exitCode)) ?? crashOf(end)
}

/** The same of a program in a container that is started again by others than its Job. */
export function outcomeOfEnd(end: Terminated, verdict: Said | undefined): Outcome {
  if (verdict !== undefined) return outcomeIn(verdict)
  const evidence = end.reason === 'OOMKilled' ? undefined : endingOfExitCode(end.exitCode)
  return { ...(evidence ?? crashOf(end)), exitCode: end.exitCode }
}

function outcomeIn({ exitCode, reason, message }: Said): Outcome {
  return { reason, retry: endingOfExitCode(exitCode)?.retry ?? retryOf(reason), message, exitCode }
}

/** What is left of a program that said nothing of its end, or has no words for it. */
export function crashOf(end: Terminated): Ending {
  if (end.reason === 'OOMKilled') return ended.OOMKilled
  return { ...ended.Crashed, message: `The program ended with exit code ${end.exitCode} and left no verdict.${logTail(end.message)}` }
}

/** Why a pod that did not end by itself is over. */
function evidenceOfRemoval(pod: Pod): Ending | undefined {
  const { name } = pod.metadata
  const disruption = podCondition(pod, 'DisruptionTarget')
  if (disruption?.reason === 'DeletionByPodGC') return { ...ended.NodeLost, message: `The node of pod ${name} is gone.` }
  if (pod.status?.reason === 'Evicted') return { ...ended.Evicted, message: `The kubelet evicted pod ${name}: ${pod.status.message ?? 'no reason given'}` }
  if (disruption?.status === 'True') return { ...ended.Disrupted, message: `Pod ${name} had to leave its node (${disruption.reason}): ${disruption.message ?? ''}` }
  if (pod.metadata.deletionTimestamp !== undefined) return { ...ended.Deleted, message: `Pod ${name} was deleted.` }
  return undefined
}

/** Some kubelets take back what the scheduler promised: another pod was faster, or a device is gone. */
function evidenceOfRefusal({ metadata, spec, status }: Pod): Ending | undefined {
  if (status?.phase !== 'Failed' || status.reason === undefined) return undefined
  return { ...ended.Disrupted, message: `Node ${spec?.nodeName} refused pod ${metadata.name} (${status.reason}): ${status.message ?? 'no reason given'}` }
}

function evidenceOfJob({ job }: Child): Ending {
  const finish = job && finishOf(job)
  if (!finish) return ended.Gone
  if (finish.reason === 'DeadlineExceeded') return ended.DeadlineExceeded
  return { ...ended.Gone, message: `Job ${job.metadata.name} ended (${finish.reason}), its pod is gone and left no verdict.` }
}

function logTail(message: string | undefined): string {
  return message === undefined || message === '' ? '' : ` Its last words: ${cut(message.slice(-LOG_TAIL_MAX).trim(), LOG_TAIL_MAX)}`
}
