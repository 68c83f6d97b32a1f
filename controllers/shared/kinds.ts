// The kinds we own or watch, with the fields we read and no others.
import type { V1DeploymentSpec, V1JobSpec, V1ServiceSpec } from '@kubernetes/client-node'
import { resourceType, type KubeObject } from '../../operator/api/object.ts'

export type PodCondition = Readonly<{ type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string }>

export type ContainerStatus = Readonly<{
  name: string
  /** As the runtime found it: with its digest, if it came from a registry. */
  imageID?: string
  restartCount?: number
  state?: ContainerState
  /** How it was before it was started again. */
  lastState?: ContainerState
}>

export type ContainerState = Readonly<{
  waiting?: Readonly<{ reason?: string; message?: string }>
  running?: Readonly<{ startedAt?: string }>
  terminated?: Readonly<{ exitCode: number; reason?: string; message?: string; startedAt?: string; finishedAt?: string }>
}>

export type Pod = KubeObject & Readonly<{
  spec?: Readonly<{ nodeName?: string }>
  status?: Readonly<{
    phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'
    reason?: string
    message?: string
    startTime?: string
    podIP?: string
    conditions?: readonly PodCondition[]
    initContainerStatuses?: readonly ContainerStatus[]
    containerStatuses?: readonly ContainerStatus[]
  }>
}>

export type JobCondition = Readonly<{ type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string }>

export type Job = KubeObject & Readonly<{
  /** Kueue's to write, never ours after the creation. */
  spec?: Readonly<{ suspend?: boolean }>
  status?: Readonly<{ startTime?: string; completionTime?: string; conditions?: readonly JobCondition[] }>
}>

/** A Job as we create it; of its spec only whether it is suspended is read back. */
export type DesiredJob = Omit<Job, 'spec'> & Readonly<{ spec: V1JobSpec }>

export type DeploymentCondition = Readonly<{ type: string; status: string; reason?: string; message?: string }>

/** Of its spec nothing is read back. */
export type Deployment = KubeObject & Readonly<{ status?: Readonly<{ conditions?: readonly DeploymentCondition[] }> }>

export type DesiredDeployment = KubeObject & Readonly<{ spec: V1DeploymentSpec }>

export type DesiredService = KubeObject & Readonly<{ spec: V1ServiceSpec }>

/** Never read back beyond its metadata. */
export type NetworkPolicy = KubeObject

export type DesiredNetworkPolicy = KubeObject & Readonly<{ spec: unknown }>

export type Service = KubeObject & Readonly<{ spec?: Readonly<{ clusterIP?: string }> }>

export type ConfigMap = KubeObject & Readonly<{ data?: Readonly<Record<string, string>> }>

export const PodType = resourceType<Pod>({ apiVersion: 'v1', kind: 'Pod', plural: 'pods', scope: 'Namespaced' })
export const JobType = resourceType<Job>({ apiVersion: 'batch/v1', kind: 'Job', plural: 'jobs', scope: 'Namespaced' })
export const DeploymentType = resourceType<Deployment>({ apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments', scope: 'Namespaced' })
export const NetworkPolicyType = resourceType<NetworkPolicy>({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', plural: 'networkpolicies', scope: 'Namespaced' })
export const ServiceType = resourceType<Service>({ apiVersion: 'v1', kind: 'Service', plural: 'services', scope: 'Namespaced' })
export const ConfigMapType = resourceType<ConfigMap>({ apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', scope: 'Namespaced' })

/** How a Job finished; undefined while the job controller still has something to do for it. */
export function finishOf(job: Job): JobCondition | undefined {
  return job.status?.conditions?.find(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True')
}

/** Whether it is settled how the Job finishes, though the job controller may still have to let go of its pods. */
export function isDecided(job: Job): boolean {
  return job.status?.conditions?.some(({ type, status }) => (type === 'FailureTarget' || type === 'SuccessCriteriaMet') && status === 'True') ?? false
}

/** Whether nothing of the pod runs any more, nor ever will. A pod deleted before it had a node never gets a final phase. */
export function isTerminal(pod: Pod): boolean {
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return true
  return pod.metadata.deletionTimestamp !== undefined && pod.spec?.nodeName === undefined
}

export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type)
}
