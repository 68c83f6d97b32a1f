import { setTimeout as sleep } from 'node:timers/promises'
import { killInPod } from './host-process.ts'
import { readRun, trainingPod, untilStep } from './runs.ts'
import { OPERATOR_NAMESPACE, type Place, type Site } from './site.ts'
import { until } from './until.ts'

export const KILLS = ['trainer process', 'trainer pod', 'API server', 'operator'] as const // last what a kubelet may take a minute to start again: the run goes on meanwhile
export type Kill = (typeof KILLS)[number]

/** Does one of the things that happen to a cluster at night, to one run. */
export async function strike(kill: Kill, place: Place, run: string): Promise<void> {
  switch (kill) {
    case 'operator':
      return killOperator(place.site)
    case 'trainer process':
      return killTrainerProcess(place, run)
    case 'trainer pod': {
      const pod = await trainingPod(place, run)
      await place.site.kube.run(['delete', 'pod', pod.name, '-n', place.namespace, '--grace-period=0', '--force'])
      return
    }
    case 'API server':
      return place.site.cluster.restart('kube-apiserver')
    default:
      kill satisfies never
  }
}

const STRIKE_LIMIT_SECONDS = 60 // an attempt follows the one before within half a minute

/** Strikes once the run has come to a step, and waits until the operator answers again and what was struck has ended. */
export async function strikeAt(place: Place, run: string, { kill, step }: Readonly<{ kill: Kill; step: number }>, seconds: number): Promise<void> {
  await untilStep(place, run, step, seconds)
  const struck = (await readRun(place, run))?.status?.attempts?.length ?? 0
  // Between two attempts there is no pod to strike; a night in which a strike never landed proves nothing.
  await until(`the strike at the ${kill} of ${run}`, STRIKE_LIMIT_SECONDS, () => strike(kill, place, run).then(() => true))
  await untilOperatorReady(place.site)
  if (kill === 'operator' || kill === 'API server') return
  // A report may be old by a hundred steps: the next strike would find the pod of this attempt still ending.
  await until(`attempt ${struck} of ${run} has ended`, seconds, async () => (await readRun(place, run))?.status?.attempts?.[struck - 1]?.state !== 'Running')
}

/** SIGKILL to its process; the kubelet starts the container again. */
export async function killOperator(site: Site): Promise<void> {
  const pods = await site.kube.list('pods', { namespace: OPERATOR_NAMESPACE, selector: 'app.kubernetes.io/name=swe-operator' })
  const killed = await Promise.all(pods.map((pod) => killInPod(pod.metadata.uid, 'operator.mjs')))
  if (killed.reduce((sum, one) => sum + one, 0) === 0) throw new Error('no operator process was found to kill')
}

async function killTrainerProcess(place: Place, run: string): Promise<void> {
  const pod = await trainingPod(place, run)
  if ((await killInPod(pod.uid, 'swe_workloads.engine_sft')) === 0) throw new Error(`${pod.name} has no training process to kill`)
}

/** Counts how many training Jobs of a namespace's runs were live at once, per run, for as long as it watches. */
export function watchLiveJobs(place: Place): Readonly<{ stop(): Promise<ReadonlyMap<string, number>> }> {
  const stopping = new AbortController()
  const most = new Map<string, number>()
  const watching = look()
  return {
    async stop() {
      stopping.abort()
      await watching
      return most
    },
  }

  async function look(): Promise<void> {
    while (!stopping.signal.aborted) {
      // A restarting API server answers nobody; the next look sees what it did.
      for (const [run, live] of await liveJobs(place).catch(() => [])) most.set(run, Math.max(live, most.get(run) ?? 0))
      await sleep(1_000, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }
}

type LivePod = Readonly<{ metadata: { labels?: Record<string, string> }; status?: { phase?: string } }>

async function liveJobs({ site, namespace }: Place): Promise<[string, number][]> {
  const pods = await site.kube.list<LivePod>('pods', { namespace, selector: 'swe-operator.dev/role=train' })
  const jobs = new Map<string, Set<string>>()
  for (const { metadata, status } of pods) {
    const run = metadata.labels?.['swe-operator.dev/training-run'] ?? ''
    if (status?.phase === 'Succeeded' || status?.phase === 'Failed') continue
    jobs.set(run, (jobs.get(run) ?? new Set()).add(metadata.labels?.['swe-operator.dev/attempt'] ?? ''))
  }
  return [...jobs].map(([run, attempts]) => [run, attempts.size])
}

/** A new pod, without the kubelet's pause before a restart, which grows with every kill and is not what is tested. */
export async function replaceOperator(site: Site): Promise<void> {
  await site.kube.run(['delete', 'pod', '-n', OPERATOR_NAMESPACE, '-l', 'app.kubernetes.io/component=operator', '--wait'])
  await untilOperatorReady(site)
}

/** Waits until somebody holds the lease and answers again after a kill. */
export async function untilOperatorReady(site: Site): Promise<void> {
  await until('the operator is ready', 240, async () => {
    const out = await site.kube.run(['get', 'deployment', 'swe-operator', '-n', OPERATOR_NAMESPACE, '-o', 'jsonpath={.status.readyReplicas}'])
    return out === '1'
  })
}
