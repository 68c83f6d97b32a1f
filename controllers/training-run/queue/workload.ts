// What Kueue says about a Job of ours: read on demand, never written.
import { JOB_UID_LABEL } from '../../jobs/queue-labels.ts'
import { isForbidden, isNotFound } from '../../../operator/api/errors.ts'
import { resourceType, type KubeObject, type ResourceType } from '../../../operator/api/object.ts'
import type { Client } from '../../../operator/api/resource.ts'
import type { World } from '../../../operator/world.ts'
import { createMemory } from './memory.ts'

export type WorkloadCondition = Readonly<{ type: string; status: string; reason?: string; message?: string }>

/** Kueue's view of a Job, with the fields we read; they are the same in v1beta1 and v1beta2. */
export type Workload = KubeObject & Readonly<{
  spec?: Readonly<{ active?: boolean; queueName?: string }>
  status?: Readonly<{
    conditions?: readonly WorkloadCondition[]
    admission?: Readonly<{ clusterQueue?: string }> | null
    admissionChecks?: readonly Readonly<{ name?: string; state?: string; message?: string }>[]
    requeueState?: Readonly<{ requeueAt?: string }> | null
  }>
}>

/** `NoApi`: this cluster serves no Workloads. `Unreadable`: it does, and we may not or could not read them. */
export type QueueAnswer =
  | Readonly<{ kind: 'Workload'; workload: Workload }>
  | Readonly<{ kind: 'NoWorkload' }>
  | Readonly<{ kind: 'NoApi' }>
  | Readonly<{ kind: 'Unreadable' }>

/** Asks Kueue where a Job stands. Rejects as the client does. */
export type QueueReader = Readonly<{ of(job: KubeObject): Promise<QueueAnswer> }>

const VERSIONS: readonly ResourceType<Workload>[] = ['v1beta2', 'v1beta1'].map((version) =>
  resourceType<Workload>({ apiVersion: `kueue.x-k8s.io/${version}`, kind: 'Workload', plural: 'workloads', scope: 'Namespaced' }))

const REMEMBERED_MS = 5_000 // a Job wakes us several times in a row; Kueue itself takes about a second for a cycle

/** Answers stay good for five seconds. */
export function createQueueReader(client: Pick<Client, 'list'>, world: Pick<World, 'monotonicMs'>): QueueReader {
  const remember = createMemory<QueueAnswer>(world, REMEMBERED_MS)
  return { of: (job) => remember(job.metadata.uid ?? '', () => ask(client, job)) }
}

async function ask(client: Pick<Client, 'list'>, { metadata: { namespace = '', uid } }: KubeObject): Promise<QueueAnswer> {
  for (const type of VERSIONS) {
    try {
      const { items } = await client.list(type, { namespace, labelSelector: `${JOB_UID_LABEL}=${uid}` })
      const workload = items.find(({ metadata }) => metadata.deletionTimestamp === undefined) ?? items[0]
      return workload === undefined ? { kind: 'NoWorkload' } : { kind: 'Workload', workload }
    } catch (error) {
      if (isForbidden(error)) return { kind: 'Unreadable' }
      if (!isNotFound(error)) throw error
    }
  }
  return { kind: 'NoApi' }
}
