import { podCondition, type Pod } from '../shared/kinds.ts'
import { newestPod, programState, type Child } from './children.ts'

/** Why a child does not run yet. */
export type Trouble = Readonly<{
  message: string
  /** `Reference`: something it mounts is missing. `Capacity`: no node has room; that can pass. `Blocked`: somebody must act. */
  kind: 'Reference' | 'Capacity' | 'Blocked'
}>

/** `warning` is the newest complaint that Kubernetes recorded as an event about the pod, or about the Job where there is none. */
export function troubleOf(child: Child, warning: string | undefined): Trouble | undefined {
  const pod = newestPod(child)
  if (!pod) return warning === undefined ? undefined : { kind: 'Blocked', message: `Job ${child.job?.metadata.name} gets no pod: ${withoutRandomNames(warning)}` }
  return schedulingTrouble(pod) ?? containerTrouble(pod) ?? mountTrouble(pod, warning)
}

/** Whether its program has begun. */
export function hasStarted(child: Child): boolean {
  const state = programState(newestPod(child))
  return state?.running !== undefined || state?.terminated !== undefined
}

function schedulingTrouble(pod: Pod): Trouble | undefined {
  const scheduled = podCondition(pod, 'PodScheduled')
  if (scheduled?.status !== 'False') return undefined
  return { kind: 'Capacity', message: `Pod ${pod.metadata.name} has no node: ${scheduled.message ?? scheduled.reason ?? 'no reason given'}` }
}

const UNHURRIED = new Set([undefined, '', 'ContainerCreating', 'PodInitializing'])

function containerTrouble(pod: Pod): Trouble | undefined {
  const prerequisites = (pod.status?.initContainerStatuses ?? []).map(({ state }) => state)
  const waiting = [...prerequisites, programState(pod)].map((state) => state?.waiting).find((one) => !UNHURRIED.has(one?.reason))
  if (waiting === undefined) return undefined
  const message = `Pod ${pod.metadata.name} waits with ${waiting.reason}: ${waiting.message ?? 'no message given'}`
  return { kind: waiting.reason === 'CreateContainerConfigError' ? 'Reference' : 'Blocked', message }
}

const MISSING = /not found|references non-existent/

function mountTrouble(pod: Pod, warning: string | undefined): Trouble | undefined {
  if (warning === undefined) return undefined
  return { kind: MISSING.test(warning) ? 'Reference' : 'Blocked', message: `Pod ${pod.metadata.name} cannot start: ${warning}` }
}

/** Each try of the job controller is refused under another name; a message that changes each time would never rest. */
function withoutRandomNames(text: string): string {
  return text.replaceAll(/(pods? "[^"]*-)[a-z0-9]{5}"/g, '$1…"')
}
