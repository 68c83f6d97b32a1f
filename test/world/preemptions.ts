// How a cluster takes a training pod away: each of these leaves the next attempt to go on from the newest checkpoint.
import { setTimeout as sleep } from 'node:timers/promises'
import { killInPod } from './host-process.ts'
import { untilOperatorReady } from './kills.ts'
import { trainingPod } from './runs.ts'
import { OPERATOR_NAMESPACE, type Place } from './site.ts'
import { until } from './until.ts'

export const PREEMPTIONS = ['eviction', 'node drain', 'SIGKILL', 'pod deletion', 'SIGKILL while operator and store are down'] as const
export type Preemption = (typeof PREEMPTIONS)[number]

const DOWN_SECONDS = 20

export async function preempt(preemption: Preemption, place: Place, run: string): Promise<void> {
  switch (preemption) {
    case 'eviction':
      return evict(place, run)
    case 'node drain':
      return drain(place, run)
    case 'SIGKILL':
      return killTrainer(place, run)
    case 'pod deletion': {
      const pod = await trainingPod(place, run)
      await place.site.kube.run(['delete', 'pod', pod.name, '-n', place.namespace, '--wait=false'])
      return
    }
    case 'SIGKILL while operator and store are down':
      return killUnseen(place, run)
    default:
      preemption satisfies never
  }
}

/** As the cluster autoscaler and kubectl drain ask for it. */
async function evict(place: Place, run: string): Promise<void> {
  const { site, namespace } = place
  const { name } = await trainingPod(place, run)
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } }
  await site.kube.run(['create', '--raw', `/api/v1/namespaces/${namespace}/pods/${name}/eviction`, '-f', '-'], JSON.stringify(eviction))
}

/** A drain of the node, of this run's pods alone: the only node of the cluster carries everything else too. */
async function drain(place: Place, run: string): Promise<void> {
  const { kube } = place.site
  await trainingPod(place, run)
  for (const { metadata } of await kube.list('nodes')) {
    await kube.run(['drain', metadata.name, `--pod-selector=swe-operator.dev/training-run=${run}`, '--delete-emptydir-data', '--force', '--timeout=120s'])
    await kube.run(['uncordon', metadata.name])
  }
}

/** Wrapper and engine at once, as when a node loses its power. */
async function killTrainer(place: Place, run: string): Promise<void> {
  const pod = await trainingPod(place, run)
  if ((await killInPod(pod.uid, 'swe_workloads.')) === 0) throw new Error(`${pod.name} has no process to kill`)
}

/** Nobody sees the pod die, and nothing can be written down about it. */
async function killUnseen(place: Place, run: string): Promise<void> {
  await trainingPod(place, run)
  await scale(place, 0)
  await killTrainer(place, run)
  await sleep(DOWN_SECONDS * 1000)
  await scale(place, 1)
  await untilOperatorReady(place.site)
}

/** Takes deployments of the operator's namespace away, or brings them back. */
async function scale({ site }: Place, replicas: 0 | 1): Promise<void> {
  const deployments = ['swe-operator', 'swe-operator-store'].map((name) => `deployment/${name}`)
  await site.kube.run(['scale', ...deployments, '-n', OPERATOR_NAMESPACE, `--replicas=${replicas}`])
  await until(`operator and store have ${replicas} pods`, 240, async () => {
    const pods = await site.kube.list<Readonly<{ status?: { phase?: string } }>>('pods', { namespace: OPERATOR_NAMESPACE })
    return pods.filter(({ status }) => status?.phase === 'Running').length === replicas * deployments.length
  })
}
