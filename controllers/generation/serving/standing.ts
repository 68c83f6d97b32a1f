// How far the server of a model is, judged by its pod.
import { PROGRAM_RETRIES } from '../../jobs/run-program.ts'
import { crashOf, outcomeOfEnd, type Outcome, type Terminated } from '../../jobs/outcome.ts'
import { lookAtStart, type Start } from '../../jobs/start.ts'
import { type ContainerStatus, type Pod } from '../../shared/kinds.ts'
import { ROLE } from '../../shared/labels.ts'
import { cut } from '../../shared/text.ts'
import type { Asker } from '../asker.ts'
import type { Observed } from '../observed.ts'
import { isState, type State } from '../reasons.ts'
import { readFetchVerdict } from '../verdicts.ts'
import { asChild, fetchStatus, isFetching, isReady, servingPod } from './server.ts'

/** `Coming`: as the start of any program, it may need somebody's help. `Failed`: it would never be ready. */
export type Standing = Readonly<{ is: 'Ready' } | (Start & { is: 'Coming' }) | { is: 'Failed'; state: State; message: string }>

const MESSAGE_MAX = 2048
const MEMORY_FIELD = 'spec.generation.serving.resources.memory'

export function standingOf(seen: Observed): Standing {
  const { server: { pods, deployment, warning }, now } = seen
  const [pod, child] = [servingPod(pods), asChild(pods)]
  if (pod === undefined || child === undefined) return coming(refusalOf(deployment) ?? 'The server of the model gets a pod.')
  return lookAtFetch(pod, seen) ?? lookAtServer(pod, seen) ?? { is: 'Coming', ...lookAtStart(child, warning, now) }
}

/** Undefined before it began, and once the model is there. */
function lookAtFetch(pod: Pod, { asker }: Observed): Standing | undefined {
  const status = fetchStatus(pod)
  const end = lastEnd(status)
  if (end !== undefined && end.exitCode !== 0) return failedFetch(pod, asker, { end, restarts: status?.restartCount ?? 0 })
  return isFetching(pod) ? coming(`Pod ${pod.metadata.name} fetches the model.`) : undefined
}

type Failure = Readonly<{ end: Terminated; restarts: number }>

function failedFetch({ metadata: { name } }: Pod, { kind }: Asker, { end, restarts }: Failure): Standing {
  const { reason, message, retry } = withOwnField(outcomeOfEnd(end, readFetchVerdict(end.message).verdict), kind)
  if (retry === 'Never') return failed(isState(reason) ? reason : 'Failed', message)
  if (retry === 'Counted' && restarts >= PROGRAM_RETRIES) return failed('Failed', `Fetching the model failed ${restarts + 1} times, at last with ${reason}: ${message} Remove the cause and create a new ${kind}.`)
  return coming(`Fetching the model in pod ${name} ended with ${reason}: ${message} It is tried again.`)
}

/** Undefined while it cannot run yet. Once it has been ready it is started again for as long as it is asked: what ended it may be one prompt. */
function lookAtServer(pod: Pod, { asker: { kind, status } }: Observed): Standing | undefined {
  if (isReady(pod)) return { is: 'Ready' }
  const own = pod.status?.containerStatuses?.find(({ name }) => name === pod.metadata.labels?.[ROLE])
  const end = lastEnd(own)
  if (end === undefined) return own?.state?.running === undefined ? undefined : coming(`The model is there; the server in pod ${pod.metadata.name} loads it.`)
  const restarts = own?.restartCount ?? 0
  const { reason, message } = withOwnField(crashOf(end), kind)
  if (restarts < PROGRAM_RETRIES || status?.serving?.readyTime !== undefined) return coming(`The server in pod ${pod.metadata.name} ended with ${reason}: ${message} It is started again.`)
  return failed('Failed', `The server of the model ended ${restarts} times before it was ready, at last with ${reason}: ${message} Remove the cause and create a new ${kind}.`)
}

function lastEnd(status: ContainerStatus | undefined): Terminated | undefined {
  return status?.state?.terminated ?? status?.lastState?.terminated
}

/** What the field for memory is called here. */
function withOwnField<T extends Pick<Outcome, 'reason' | 'message'>>(outcome: T, kind: Asker['kind']): T {
  if (outcome.reason !== 'HostOutOfMemory') return outcome
  return { ...outcome, message: `It was killed because it exceeded its memory; set more in ${MEMORY_FIELD} of a new ${kind}.` }
}

/** Why the Deployment gets no pod: a quota, or somebody's policy. */
function refusalOf(deployment: Observed['server']['deployment']): string | undefined {
  const refusal = deployment?.status?.conditions?.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True')
  return refusal && `Deployment ${deployment?.metadata.name} gets no pod: ${refusal.message ?? refusal.reason ?? 'no reason given'}`
}

function coming(message: string): Standing {
  return { is: 'Coming', message: cut(message, MESSAGE_MAX) }
}

function failed(state: State, message: string): Standing {
  return { is: 'Failed', state, message: cut(message, MESSAGE_MAX) }
}
