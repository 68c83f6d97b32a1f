import { describe, expect, it } from 'vitest'
import type { PreferenceGen } from '../../crds/preference-gen.ts'
import { API_VERSION } from '../../crds/common.ts'
import type { SWEBenchEval } from '../../crds/swebench-eval.ts'
import type { TrainingRunProgress } from '../../crds/training-run.ts'
import { kindKey, type KubeObject, type ResourceType } from '../../operator/api/object.ts'
import type { Cache } from '../../operator/cache/cache.ts'
import { Store } from '../../operator/cache/store.ts'
import type { ReconcileContext } from '../../operator/control/controller.ts'
import type { Write } from '../../operator/control/plan.ts'
import { preferenceGenController, preferenceGenKinds } from '../preference-gen/controller.ts'
import { DeploymentType, PodType, type DesiredDeployment, type Pod } from '../shared/kinds.ts'
import { CHILDREN_SELECTOR } from '../shared/labels.ts'
import { sweBenchEvalController, sweBenchEvalKinds } from '../swebench-eval/controller.ts'
import type { Sources } from '../swebench-eval/observe.ts'
import { trainingRunKinds } from '../training-run/controller.ts'
import type { Asker } from './asker.ts'
import { resolveGeneration } from './resolve.ts'
import { buildServer } from './resources/server.ts'
import { serverKinds } from './watched.ts'

const kinds = [...trainingRunKinds, ...preferenceGenKinds, ...sweBenchEvalKinds, ...serverKinds]
const settings = { harnessImage: 'harness:1', imagePullPolicy: 'Never', trainer: { image: 'trainer:1', imagePullPolicy: 'Never' }, serverImages: { Transformers: 'trainer:1', VLLM: 'docker.io/vllm/vllm-openai:v0.26.0', SGLang: 'docker.io/lmsysorg/sglang:v0.5.18' }, currency: 'USD', pools: [], artifactsUrl: 'https://artifacts:8443', progressUrl: 'https://progress:8443', endpointHost: 'artifacts', endpointPort: 8443, operatorNamespace: 'swe-operator-system', nameServers: [], bucket: 'swe', caBundle: () => 'CA' } as const
const nothing = async () => undefined
const book = new Map<string, TrainingRunProgress>()
const sources = { settings, warnings: { latest: nothing }, store: { samplesManifest: nothing, dataManifest: nothing, reportManifest: nothing }, progress: { of: (uid: string) => book.get(uid) }, sandboxes: { progressOf: () => undefined } } as Sources
const controllers = { PreferenceGen: preferenceGenController(sources), SWEBenchEval: sweBenchEvalController(sources) }

const metadata = { namespace: 'team', name: 'smith', uid: '0b5e7c1a-asker', generation: 1 }
const spec = { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWESmith' }, generation: { model: { s3: { uri: 's3://swe/team/models/tiny' } } } } as const
const askers = {
  PreferenceGen: { apiVersion: API_VERSION, kind: 'PreferenceGen', metadata, spec } satisfies PreferenceGen,
  SWEBenchEval: { apiVersion: API_VERSION, kind: 'SWEBenchEval', metadata, spec } satisfies SWEBenchEval,
}

/** An asker whose model is served, the caches as the operator declares them, and what its controller writes. */
class World {
  now = new Date('2026-01-01T01:00:00Z')
  asker: Asker
  #stores = new Map(kinds.map(({ type, project, indexes }) => [kindKey(type), new Store({ ...(project ? { project } : {}), ...(indexes ? { indexes } : {}), failed: (error) => { throw error } })]))
  #writes = 0

  constructor(asker: Asker) {
    this.asker = asker
  }

  /** Returns what was written, but for the probe of the sandboxes that runs beside it. */
  async reconcile(): Promise<readonly string[]> {
    const cache = { of: (type: ResourceType) => this.#storeOf(type) } as unknown as Cache
    const { writes, status } = await controllers[this.asker.kind].look(this.asker, { cache, world: { now: () => this.now }, signal: new AbortController().signal } as unknown as ReconcileContext)
    for (const write of writes) this.#carryOut(write)
    this.asker = { ...this.asker, status } as Asker
    const names = writes.map((write) => (write.op === 'create' || write.op === 'apply' ? `${write.op} ${write.object.metadata.name}` : `${write.op} ${write.ref.name}`))
    return names.filter((name) => !/-sandboxes|-listener-/.test(name))
  }

  put(object: KubeObject): void {
    const store = this.#storeOf(object)
    store.put(store.prepare({ ...object, metadata: { uid: `uid-${object.kind}-${object.metadata.name}`, ...object.metadata, resourceVersion: String(++this.#writes) } }), 'Watch')
  }

  /** As the controllers of Kubernetes make it of the Deployment. */
  pod({ metadata: made }: DesiredDeployment['spec']['template'], status: Pod['status']): void {
    const known = { namespace: 'team', name: 'smith-serve-1', uid: 'p1', creationTimestamp: '2026-01-01T00:59:00Z', labels: made?.labels ?? {} }
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: known, spec: { nodeName: 'n1' }, status } as Pod
    this.put(pod)
  }

  /** As they take it away with the Deployment. */
  podGone(): void {
    const pods = this.#storeOf(PodType)
    for (const pod of pods.list()) pods.drop(pod, 'Watch')
  }

  #carryOut(write: Write): void {
    if (write.op === 'create' || write.op === 'apply') this.put(write.object)
    if (write.op !== 'remove') return
    const found = this.#storeOf(write.ref).get(write.ref)
    if (found) this.#storeOf(write.ref).drop(found, 'Watch')
  }

  #storeOf(type: Pick<ResourceType, 'apiVersion' | 'kind'>): Store {
    const store = this.#stores.get(kindKey(type))
    if (!store) throw new Error(`${type.kind} is not cached`)
    return store
  }
}

const scheduled = { type: 'PodScheduled', status: 'True', lastTransitionTime: '2026-01-01T00:59:00Z' }
const verdict = { kind: 'Fetch', exitCode: 0, reason: 'Completed', message: '', sources: { model: { uri: 's3://swe/team/models/tiny', sha256: 'd'.repeat(64) } } }
const fetched = [{ name: 'fetch', state: { terminated: { exitCode: 0, message: JSON.stringify(verdict) } } }]

describe.each([['PreferenceGen', 'smith-prefs'], ['SWEBenchEval', 'smith-eval']] as const)('a %s whose model is served', (kind, prefix) => {
  it('is seen through from the first pod to the last sample', async () => {
    const world = new World(askers[kind])
    expect(await world.reconcile()).toEqual([`apply ${prefix}-model`, ...['serve', 'serve', 'serve'].map((part) => `create ${prefix}-${part}`)])
    expect([world.asker.status?.state, await world.reconcile()]).toEqual(['Serving', []])
    const { template } = buildServer(world.asker, { ...resolveGeneration(world.asker, 42, settings), selectSeed: 42, harnessVersion: '5' }, settings).spec
    world.pod(template, { phase: 'Pending', conditions: [scheduled], initContainerStatuses: [{ name: 'fetch', state: { running: {} } }] })
    expect([await world.reconcile(), world.asker.status?.cost]).toEqual([[], { pods: 0, cpuSeconds: 0, memoryGiBSeconds: 0, seconds: 60, servingSeconds: 60, servingCpuSeconds: 120, servingMemoryGiBSeconds: 480 }])
    world.pod(template, { phase: 'Running', conditions: [scheduled, { type: 'Ready', status: 'True' }], initContainerStatuses: fetched, containerStatuses: [{ name: 'serve', state: { running: {} } }] })
    expect(await world.reconcile()).toEqual([`apply ${prefix}-questions`, `create ${prefix}-generate-1`])
    expect(world.asker.status?.serving?.model?.sha256).toBe('d'.repeat(64))
    book.set(metadata.uid, { attempt: 1, step: 2, totalSteps: 4, percent: 50, updatedTime: '2026-01-01T01:00:00Z' })
    expect([await world.reconcile(), world.asker.status?.generation]).toEqual([[`apply ${prefix}-model`], { samples: 4, generated: 2 }]) // at the digest that is known now
    world.asker = { ...world.asker, spec: { ...world.asker.spec, suspend: true } } as Asker
    expect(await world.reconcile()).toEqual([`remove ${prefix}-generate-1`, ...['serve', 'serve', 'serve'].map((part) => `remove ${prefix}-${part}`)])
    expect([await world.reconcile(), world.asker.status?.state]).toEqual([[], 'Suspended'])
  })
})

describe.each([['PreferenceGen', 'smith-prefs'], ['SWEBenchEval', 'smith-eval']] as const)('a %s whose model is served on a budget', (kind, prefix) => {
  const server = ['serve', 'serve', 'serve'].map((part) => `${prefix}-${part}`)

  it('is stopped when that is spent, told what it took, and goes on when it is raised', async () => {
    const world = new World({ ...askers[kind], spec: { ...spec, budget: { maxDuration: '1m' } } } as Asker)
    const { template } = buildServer(world.asker, { ...resolveGeneration(world.asker, 42, settings), selectSeed: 42, harnessVersion: '5' }, settings).spec
    const served = () => world.pod(template, { phase: 'Running', conditions: [scheduled, { type: 'Ready', status: 'True' }], initContainerStatuses: fetched, containerStatuses: [{ name: 'serve', state: { running: {} } }] })
    world.now = new Date('2026-01-01T00:59:00Z')
    await world.reconcile()
    served()
    world.now = new Date('2026-01-01T00:59:31Z')
    expect([(await world.reconcile()).at(-1), world.asker.status?.cost?.servingSeconds]).toEqual([`create ${prefix}-generate-1`, 30])
    world.now = new Date('2026-01-01T01:00:00Z')
    expect(await world.reconcile()).toEqual([`remove ${prefix}-generate-1`, ...server.map((part) => `remove ${part}`)])
    world.podGone()
    world.now = new Date('2026-01-01T03:00:00Z')
    expect([await world.reconcile(), world.asker.status?.state, world.asker.status?.cost]).toEqual([[], 'BudgetExceeded', expect.objectContaining({ seconds: 60, servingSeconds: 60, budgetUsedPercent: 100 })])
    world.asker = { ...world.asker, spec: { ...world.asker.spec, budget: { maxDuration: '5m' } } } as Asker
    expect(await world.reconcile()).toEqual(expect.arrayContaining(server.map((part) => `create ${part}`)))
    expect([world.asker.status?.state, world.asker.status?.cost?.budgetUsedPercent]).toEqual(['Serving', 20])
  })
})

describe.each(['PreferenceGen', 'SWEBenchEval'] as const)('a %s of a run', (kind) => {
  const data = { PreferenceGen: { preferences: { fromPreferenceGen: { name: 'smith' } } }, SWEBenchEval: { trajectories: { fromEval: { name: 'smith' } } } }
  const run = (name: string, spec: object): KubeObject => ({ apiVersion: API_VERSION, kind: 'TrainingRun', metadata: { namespace: 'team', name }, spec } as KubeObject)
  const asker = { ...askers[kind], spec: { ...spec, generation: { model: { fromRun: { name: 'last' } } } } } as Asker

  it('that waits for it, further down a chain, is told so once the circle is closed', async () => {
    const world = new World(asker)
    world.put(asker)
    world.put(run('last', { model: { fromRun: { name: 'first' } }, data: {} }))
    expect([await world.reconcile(), world.asker.status?.state]).toEqual([[], 'WaitingForReference'])
    world.put(run('first', { model: {}, data: data[kind] }))
    expect([await world.reconcile(), world.asker.status?.state]).toEqual([[], 'UnusableReference'])
    const said = world.asker.status?.conditions?.find(({ type }) => type === 'Ready')?.message
    expect(said).toContain(`${kind} smith → TrainingRun last → TrainingRun first → ${kind} smith wait for each other (spec.generation.model.fromRun).`)
  })
})

it('an evaluation that is compared in a circle has its model asked all the same', async () => {
  const world = new World({ ...askers.SWEBenchEval, spec: { ...spec, generation: { model: { fromRun: { name: 'last' } } }, compareWith: ['smith'] } })
  world.put(world.asker)
  await world.reconcile()
  expect(world.asker.status?.state).toBe('WaitingForReference')
})

describe('an evaluation whose verdicts are all there', () => {
  const status = { data: { prefix: 'data/p1/', toRun: 0, instances: 0 }, conditions: [{ type: 'Complete', status: 'False', reason: 'Running', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }] } as const
  const compared = (name: string, compareWith: readonly string[]) => ({ ...askers.SWEBenchEval, metadata: { ...metadata, name, uid: `uid-${name}` }, spec: { ...askers.SWEBenchEval.spec, compareWith }, status }) as SWEBenchEval
  const run = { apiVersion: API_VERSION, kind: 'TrainingRun', metadata: { namespace: 'team', name: 'tuned' }, spec: { model: {}, data: {}, gate: { noWorseThan: { name: 'base' } } } } as KubeObject

  it.each([
    ['one that is compared with it', compared('other', ['base']), 'SWEBenchEval base → SWEBenchEval other → SWEBenchEval base'],
    ['itself', compared('base', ['base']), 'SWEBenchEval base → SWEBenchEval base'],
    ['one of a model that is trained by what it resolves', { ...compared('other', []), spec: { generation: { model: { fromRun: { name: 'tuned' } } } } }, 'SWEBenchEval base → SWEBenchEval other → TrainingRun tuned → SWEBenchEval base'],
  ])('is told so where it is compared with %s, and goes on once that is gone', async (_what, other, circle) => {
    const self = compared('base', [other.metadata.name])
    const world = new World(self)
    for (const object of [self, run, other]) world.put(object as KubeObject)
    await world.reconcile()
    expect(world.asker.status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({ reason: 'UnusableReference', message: expect.stringContaining(`${circle} wait for each other (spec.compareWith).`) })
    world.asker = { ...world.asker, spec: { ...spec, compareWith: ['third'] } } as Asker
    world.put(world.asker)
    await world.reconcile()
    expect(world.asker.status?.state).toBe('WaitingForReference')
  })
})

describe.each(Object.values(controllers))('what the controller $name watches', ({ owns, watches }) => {
  it('is never cached whole where others have such objects too', () => {
    const foreign = [...owns, ...watches.map(({ type }) => type)].filter(({ apiVersion }) => apiVersion !== API_VERSION)
    const selected = foreign.map((type) => kinds.find((kind) => kindKey(kind.type) === kindKey(type))?.labelSelector)
    expect(selected).toEqual(foreign.map(() => CHILDREN_SELECTOR))
    expect(foreign.map(kindKey)).toEqual(expect.arrayContaining([kindKey(DeploymentType), kindKey(PodType)]))
  })
})

describe('a pod of an evaluation', () => {
  const wakes = (role: string) => controllers.SWEBenchEval.watches.flatMap(({ type, keys }) => (type === PodType ? keys({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'team', name: 'p', labels: { 'swe-operator.dev/swebench-eval': 'smith', 'swe-operator.dev/role': role } } }, { of: () => { throw new Error('not asked') } }) : []))

  it('wakes it where it serves the model, and not for each sandbox', () => {
    expect([wakes('serve'), wakes('sandbox')]).toEqual([[{ namespace: 'team', name: 'smith' }], []])
  })
})
