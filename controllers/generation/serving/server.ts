// What the cluster has of the server of a model; the part of the observation that reads it.
import type { KubeObject } from '../../../operator/api/object.ts'
import type { Cache } from '../../../operator/cache/cache.ts'
import { controllerOf } from '../../../operator/meta/owner.ts'
import { newestPod, type Child } from '../../jobs/children.ts'
import { warningFor, type WarningReader } from '../../jobs/warnings.ts'
import { isTerminal, podCondition, ConfigMapType, DeploymentType, NetworkPolicyType, PodType, ServiceType, type ConfigMap, type ContainerStatus, type Deployment, type NetworkPolicy, type Pod, type Service } from '../../shared/kinds.ts'
import { PODS_BY_UID, ROLE } from '../../shared/labels.ts'
import type { Asker } from '../asker.ts'
import { FETCH } from '../resources/server.ts'
import { servingInputsName } from '../resources/serving.ts'
import { readFetchVerdict, type FetchVerdict } from '../verdicts.ts'
import { isServed, serverName } from './model.ts'

export type Server = Readonly<{
  deployment?: Deployment
  service?: Service
  policy?: NetworkPolicy
  inputs?: ConfigMap
  /** Also those that end. */
  pods: readonly Pod[]
  /** What was fetched, by the pod that counts. */
  fetched?: FetchVerdict
  /** The newest complaint of Kubernetes about the pod that counts. */
  warning?: string
}>

export const NO_SERVER: Server = { pods: [] }

/** All of it that belongs to this asker. */
export async function observeServer(asker: Asker, cache: Cache, now: Date, warnings: WarningReader): Promise<Server> {
  if (!isServed(asker)) return NO_SERVER
  const { namespace = '', uid = '' } = asker.metadata
  const own = <T extends KubeObject>(found: T | undefined): T | undefined => (found !== undefined && controllerOf(found)?.uid === uid ? found : undefined)
  const key = { namespace, name: serverName(asker) }
  const pods = cache.of(PodType).by(PODS_BY_UID, uid).filter(({ metadata }) => metadata.labels?.[ROLE] === 'serve')
  const seen = {
    deployment: own(cache.of(DeploymentType).get(key)),
    service: own(cache.of(ServiceType).get(key)),
    policy: own(cache.of(NetworkPolicyType).get(key)),
    inputs: own(cache.of(ConfigMapType).get({ namespace, name: servingInputsName(asker) })),
    fetched: fetchedBy(servingPod(pods)),
    warning: isFetching(servingPod(pods)) ? undefined : await warningFor(asChild(pods), now, warnings),
  }
  return { pods, ...Object.fromEntries(Object.entries(seen).filter(([, value]) => value !== undefined)) }
}

/** Its objects but for its pods, which go with the Deployment. */
export function objectsOf({ deployment, service, policy }: Server): readonly KubeObject[] {
  return [deployment, service, policy].filter((object) => object !== undefined)
}

/** The pod that counts: one that answers, else the newest that is to stay. Of one that was evicted its Deployment makes another. */
export function servingPod(pods: readonly Pod[]): Pod | undefined {
  const child = asChild(pods)
  return child && (child.pods.find(isReady) ?? newestPod(child))
}

/** Whether it answers now. */
export function isReady(pod: Pod | undefined): boolean {
  return pod !== undefined && podCondition(pod, 'Ready')?.status === 'True'
}

/** As the start of a program is looked at; undefined where no pod is to stay. */
export function asChild(pods: readonly Pod[]): Child | undefined {
  const staying = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined && !isTerminal(pod))
  return staying.length === 0 ? undefined : { number: 1, pods: staying }
}

/** Of the container that fetches the model. */
export function fetchStatus(pod: Pod | undefined): ContainerStatus | undefined {
  return pod?.status?.initContainerStatuses?.find(({ name }) => name === FETCH)
}

export function isFetching(pod: Pod | undefined): boolean {
  return fetchStatus(pod)?.state?.running !== undefined
}

/** Undefined before it is there. */
export function fetchedBy(pod: Pod | undefined): FetchVerdict | undefined {
  const { verdict } = readFetchVerdict(fetchStatus(pod)?.state?.terminated?.message)
  return verdict?.exitCode === 0 ? verdict : undefined
}
