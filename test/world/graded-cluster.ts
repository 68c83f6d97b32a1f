// An evaluation of two instances in a cluster whose kubelet ends each sandbox after two seconds as the test says.
import type { V1PodSpec } from '@kubernetes/client-node'
import type { SWEBenchEval, SWEBenchEvalSpec } from '../../crds/swebench-eval.ts'
import type { KubeObject } from '../../operator/api/object.ts'
import { silentLog } from '../../operator/observe/log.ts'
import { FakeApiServer, type Death } from '../../operator/testing/fake-api-server.ts'
import { FakeCache } from '../../operator/testing/fake-cache.ts'
import { createFakeWorld } from '../../operator/testing/fake-world.ts'
import { ConfigMapType, PodType, type Pod } from '../../controllers/shared/kinds.ts'
import { startGrading, type Grading, type GradingParts } from '../../controllers/swebench-eval/grading.ts'
import { Registries } from '../../controllers/swebench-eval/registries.ts'
import { PREDICTION } from '../../controllers/swebench-eval/resources/sandbox-pod.ts'
import { rowsIn } from '../../controllers/swebench-eval/rows.ts'
import { readIndex } from '../../controllers/swebench-eval/verdicts.ts'
import { settings } from './evaluation-seen.ts'

export const WORK_MS = 2_000
export const PULL_MS = 500

/** Two instances, `a` with three samples and `b` with two: baselines are 0 to 3, predictions 4 to 8. */
export const index = readIndex({
  version: 1,
  instances: ['a', 'b'].map((id) => ({ id, image: `${id}:1` })),
  predictions: [
    ...[0, 1].flatMap((instance) => ['Gold', 'NoOp'].map((kind) => ({ instance, sample: 1, kind }))),
    ...[0, 0, 0, 1, 1].map((instance, sample) => ({ instance, sample })),
  ],
})

export type Ends = (ordinal: number, attempt: number) => 'Resolved' | 'Unresolved' | 'Lost' | Checked
type Checked = 'Ok' | 'DoesNotApply'

/** Every baseline says what is right, and every prediction is resolved. */
export const asTheyShould: Ends = (ordinal) => (ordinal < 4 && ordinal % 2 === 1 ? 'Unresolved' : 'Resolved')

/** Images that a kubelet pulls: those of `a` and `b`, and which of them a registry refuses right now. */
export type Pulls = Readonly<{ images: readonly [string, string]; refused: Set<string> }>

type Cached = 'Resolved' | 'Unresolved' | 'PatchApplyFailed'

export function aCluster(spec: Partial<SWEBenchEvalSpec>, ends: Ends, pulls?: Pulls, cached: Readonly<Record<number, Cached>> = {}) {
  const world = createFakeWorld()
  const server = new FakeApiServer(world)
  const cache = new FakeCache(server)
  const evaluation: SWEBenchEval = {
    apiVersion: 'swe-operator.dev/v1alpha1', kind: 'SWEBenchEval',
    metadata: { namespace: 'team', name: 'lite', uid: '0b5e7c1a-eval' },
    spec: { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWEBench' }, predictions: { gold: {} }, baseline: 'Required', parallelism: 2, ...spec },
    status: { state: 'Running', data: { prefix: 'data/p1/' } },
  }
  const purposes = new Map<string, string | undefined>()
  server.watch((_before, pod) => {
    if (pod?.kind === 'Pod' && pod.status === undefined) void kubelet(pod as Pod)
  })
  async function kubelet(pod: Pod): Promise<void> {
    purposes.set(pod.metadata.name, /"SWE_PURPOSE","value":"(\w+)"/.exec(JSON.stringify(pod))?.[1])
    await pull(pod)
    await world.sleep(WORK_MS)
    const [ordinal, attempt] = pod.metadata.name.split('-').slice(-2).map(Number)
    const outcome = ends(ordinal ?? 0, attempt ?? 0)
    const isChecked = outcome === 'Ok' || outcome === 'DoesNotApply'
    const message = JSON.stringify({ kind: 'Grade', exitCode: 0, reason: isChecked ? outcome : 'Completed', message: '', outcome: isChecked ? 'Checked' : outcome, testSeconds: 2 })
    if (server.find(pod)) server.put({ ...pod, status: outcome === 'Lost' ? { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' } : { phase: 'Running', containerStatuses: [{ name: 'grade', state: { terminated: { exitCode: 0, message } } }] } })
  }
  async function pull(pod: KubeObject): Promise<void> {
    const image = (pod as KubeObject & { spec?: V1PodSpec }).spec?.containers.find(({ name }) => name === 'test')?.image ?? ''
    const isRefused = (): boolean => pulls?.refused.has(image) === true
    for (let waitedMs = 0; waitedMs === 0 || isRefused(); waitedMs += PULL_MS) {
      await world.sleep(PULL_MS)
      if (isRefused()) server.put({ ...pod, status: { phase: 'Pending', containerStatuses: [{ name: 'test', state: { waiting: { reason: 'ErrImagePull', message: '429 Too Many Requests' } } }] } })
    }
    if (pulls !== undefined) server.put({ ...pod, status: { phase: 'Running', containerStatuses: [{ name: 'test', state: { running: {} } }] } })
  }
  const instances = index.instances.map((instance, place) => ({ ...instance, image: pulls?.images[place] ?? instance.image }))
  const partsOf = (death?: Death): GradingParts => ({
    settings: { ...settings, imagePullPolicy: pulls === undefined ? 'Never' : 'IfNotPresent' }, registries: new Registries(world), client: server.connect({}, death), cache, world, log: silentLog, fieldManager: 'test',
    capabilityOf: () => 'c', endpointAddress: async () => '10.96.0.7',
    store: { index: async () => ({ ...index, instances, predictions: index.predictions.map((one, ordinal) => ({ ...one, cached: cached[ordinal] })) }), verdict: async () => undefined, ended: async () => [] },
  })
  const rows = () => rowsIn(cache.of(ConfigMapType).list())
  return {
    server,
    cache,
    evaluation,
    partsOf,
    rows,
    start: (death?: Death) => startGrading(evaluation, partsOf(death), () => undefined),
    ends: () => rows().filter(({ final }) => final).toSorted((one, other) => one.ordinal - other.ordinal).map(({ ordinal, code }) => `${ordinal}${code}`).join(' '),
    started: () => server.writes.filter((write) => write.startsWith('create Pod')).map((write) => Number(write.split('-').at(-2))),
    purposes: (ordinal: number) => [...purposes].flatMap(([name, purpose]) => (name.split('-').at(-2) === String(ordinal) ? [purpose] : [])),
    pods: () => cache.of(PodType).list().map(({ metadata }) => metadata.labels?.[PREDICTION]),
    advance: (ms: number) => world.advance(ms),
    untilDone: async (grading: Grading) => {
      for (let second = 0; second < 300 && !grading.isDone(); second += 1) await world.advance(1_000)
    },
  }
}
