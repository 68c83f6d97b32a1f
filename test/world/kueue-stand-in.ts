// Plays Kueue (as of v0.19) for Jobs, on a real API server: its webhook, its Workloads, admission and eviction.
// It decides nothing: a test says when a Job is admitted, evicted or has to wait, and why.
import type { V1Job, V1Toleration } from '@kubernetes/client-node'
import { JOB_UID_LABEL, QUEUE_LABEL } from '../../controllers/jobs/queue-labels.ts'
import type { Workload, WorkloadCondition } from '../../controllers/training-run/queue/workload.ts'
import type { Kube } from './kube.ts'
import { until } from './until.ts'

/** The fields of a ResourceFlavor that reach a Job. */
export type Flavor = Readonly<{ name: string; nodeLabels: Readonly<Record<string, string>>; tolerations: readonly V1Toleration[] }>

export type Why = Readonly<{ reason: string; message: string }>

export type KueueStandIn = Readonly<{
  /** As Kueue's scheduler does when there is quota; resolves once the Job is resumed on the flavor. */
  admit(job: string, flavor: Flavor): Promise<void>
  /** As Kueue does for a preemption; resolves once the Job is suspended and no pod of it is active. */
  evict(job: string, why: Why): Promise<void>
  /** Lets the Job wait for this reason. */
  hold(job: string, why: Why): Promise<void>
}>

const MANAGER = 'kueue' // as its user agent names it in managedFields
const STOPPING = 'kueue.x-k8s.io/stopping'
const SECONDS = 60
const CLUSTER_QUEUE = 'stand-in'

/** The part of Kueue's definition that readers of conditions need; the real one adds validation alone. */
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'workloads.kueue.x-k8s.io', annotations: { 'api-approved.kubernetes.io': 'unapproved, a stand-in for tests' } },
  spec: {
    group: 'kueue.x-k8s.io',
    scope: 'Namespaced',
    names: { kind: 'Workload', listKind: 'WorkloadList', plural: 'workloads', singular: 'workload', shortNames: ['wl'] },
    versions: [{
      name: 'v1beta2', served: true, storage: true, subresources: { status: {} },
      schema: { openAPIV3Schema: { type: 'object', properties: { spec: anything(), status: anything() } } },
    }],
  },
}

function anything(): object {
  return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
}

/** Installs the definition of Workloads; nothing happens by itself. */
export async function startKueueStandIn(kube: Kube, namespace: string): Promise<KueueStandIn> {
  await kube.apply(definition)
  await until('workloads are served', SECONDS, async () => (await kube.run(['get', 'workloads', '-A']), true))
  const place = { kube, namespace }
  return {
    hold: async (name, why) => {
      const job = await jobOf(place, name)
      await ensureWorkload(place, job)
      await report(place, job, { conditions: [conditionOf('QuotaReserved', 'False', why)] })
    },
    admit: async (name, flavor) => {
      const job = await jobOf(place, name)
      await ensureWorkload(place, job)
      await reserve(place, job, flavor)
      await resume(place, job, flavor)
    },
    evict: async (name, why) => {
      const job = await jobOf(place, name)
      await report(place, job, { conditions: [conditionOf('Evicted', 'True', why), conditionOf('Preempted', 'True', { ...why, reason: 'InClusterQueue' })] })
      await stop(place, job)
      await until(`Job ${name} is inactive`, SECONDS, async () => ((await jobOf(place, name)).status?.active ?? 0) === 0)
      const waits = { reason: 'Pending', message: why.message }
      const conditions = [conditionOf('Requeued', 'True', why), conditionOf('QuotaReserved', 'False', waits), conditionOf('Admitted', 'False', { reason: 'NoReservation', message: 'The workload has no reservation' })]
      await report(place, job, { conditions, admission: null })
    },
  }
}

type Place = Readonly<{ kube: Kube; namespace: string }>
type NamedJob = V1Job & Readonly<{ metadata: Readonly<{ name: string; uid: string }> }>

async function jobOf({ kube, namespace }: Place, name: string): Promise<NamedJob> {
  return until(`Job ${name} is there`, SECONDS, () => kube.get<NamedJob>('job', name, namespace))
}

function workloadName({ metadata }: NamedJob): string {
  return `job-${metadata.name}-${metadata.uid.slice(0, 5)}`
}

/** Kueue's own reconciler makes it as soon as the Job is suspended and inactive; it remembers the template as the user wrote it. */
async function ensureWorkload({ kube, namespace }: Place, job: NamedJob): Promise<void> {
  const name = workloadName(job)
  if (await kube.get('workload', name, namespace)) return
  const owner = { apiVersion: 'batch/v1', kind: 'Job', name: job.metadata.name, uid: job.metadata.uid, controller: true, blockOwnerDeletion: true }
  const labels = { [JOB_UID_LABEL]: job.metadata.uid }
  const podSets = [{ name: 'main', count: 1, template: job.spec?.template }]
  const spec = { active: true, queueName: job.metadata.labels?.[QUEUE_LABEL], podSets }
  await kube.apply({ apiVersion: 'kueue.x-k8s.io/v1beta2', kind: 'Workload', metadata: { namespace, name, labels, ownerReferences: [owner] }, spec }, namespace)
}

function conditionOf(type: string, status: 'True' | 'False', { reason, message }: Why): WorkloadCondition & Readonly<{ lastTransitionTime: string }> {
  return { type, status, reason, message, lastTransitionTime: new Date().toISOString() }
}

/** Conditions are a map by type: those named replace their own kind. */
async function report({ kube, namespace }: Place, job: NamedJob, { conditions, ...status }: Readonly<{ conditions: readonly WorkloadCondition[]; admission?: object | null }>): Promise<void> {
  const name = workloadName(job)
  const before = (await kube.get<Workload & { metadata: { uid: string } }>('workload', name, namespace))?.status?.conditions ?? []
  const kept = before.filter(({ type }) => !conditions.some((one) => one.type === type))
  await patch({ kube, namespace }, ['workload', name, '--subresource=status'], { status: { ...status, conditions: [...kept, ...conditions] } })
}

async function reserve(place: Place, job: NamedJob, flavor: Flavor): Promise<void> {
  const admission = { clusterQueue: CLUSTER_QUEUE, podSetAssignments: [{ name: 'main', count: 1, flavors: { cpu: flavor.name } }] }
  const reserved = { reason: 'QuotaReserved', message: `Quota reserved in ClusterQueue ${CLUSTER_QUEUE}` }
  const conditions = [
    conditionOf('QuotaReserved', 'True', reserved),
    conditionOf('Admitted', 'True', { reason: 'Admitted', message: 'The workload is admitted' }),
    conditionOf('Evicted', 'False', reserved),
    conditionOf('Preempted', 'False', reserved),
  ]
  await report(place, job, { conditions, admission })
}

/** In one patch, as Kueue does: the API server lets the template change while the Job is suspended and has no start time. */
async function resume(place: Place, job: NamedJob, { nodeLabels, tolerations }: Flavor): Promise<void> {
  const { nodeSelector = {}, tolerations: own = [] } = job.spec?.template.spec ?? {}
  const spec = { nodeSelector: { ...nodeSelector, ...nodeLabels }, tolerations: [...own, ...tolerations] }
  await patch(place, ['job', job.metadata.name], { spec: { suspend: false, template: { spec } } })
}

/** In three steps, as Kueue does: an annotation tells a crash in between, and the template is immutable while there is a start time. */
async function stop(place: Place, job: NamedJob): Promise<void> {
  const { name } = job.metadata
  const workload = await place.kube.get<Workload & { metadata: { uid: string }; spec: { podSets: readonly Readonly<{ template: NonNullable<V1Job['spec']>['template'] }>[] } }>('workload', workloadName(job), place.namespace)
  const { nodeSelector = null, tolerations = null } = workload?.spec.podSets[0]?.template.spec ?? {}
  await patch(place, ['job', name], { metadata: { annotations: { [STOPPING]: 'true' } }, spec: { suspend: true } })
  await patch(place, ['job', name, '--subresource=status'], { status: { startTime: null } })
  await patch(place, ['job', name], { metadata: { annotations: { [STOPPING]: null } }, spec: { template: { spec: { nodeSelector, tolerations } } } })
}

async function patch({ kube, namespace }: Place, target: readonly string[], body: object): Promise<void> {
  await kube.run(['patch', '-n', namespace, ...target, '--type=merge', `--field-manager=${MANAGER}`, '-p', JSON.stringify(body)])
}
