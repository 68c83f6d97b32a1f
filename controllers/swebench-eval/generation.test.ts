// An evaluation whose predictions a model makes: what is asked is graded, and nothing is served a moment longer than that takes.
import { describe, expect, it } from 'vitest'
import { parseSWEBenchEval, type SWEBenchEval, type SWEBenchEvalSpec, type SWEBenchEvalStatus } from '../../crds/swebench-eval.ts'
import type { TrainingRun } from '../../crds/training-run.ts'
import { ownedBy } from '../../operator/meta/owner.ts'
import { buildServer, buildServerPolicy, buildServerService } from '../generation/resources/server.ts'
import { buildServingInputs } from '../generation/resources/serving.ts'
import type { Server } from '../generation/serving/server.ts'
import type { GenerateVerdict } from '../generation/verdicts.ts'
import { roleLabels } from '../shared/labels.ts'
import type { ContainerStatus, Pod } from '../shared/kinds.ts'
import type { Observed } from './observed.ts'
import { plan } from './plan.ts'
import { resolve } from './resolve.ts'
import { indexed } from './rows.ts'
import type { PrepareVerdict, ProbeVerdict } from './verdicts.ts'

const NOW = new Date('2026-01-01T01:00:00Z')
const trainer = { image: 'trainer:1', imagePullPolicy: 'Never' } as const
const settings = { harnessImage: 'harness:1', trainer, serverImages: { Transformers: 'trainer:1', VLLM: 'vllm:1', SGLang: 'sglang:1' }, currency: 'USD', pools: [], imagePullPolicy: 'Never', artifactsUrl: 'https://artifacts:8443', progressUrl: 'https://progress:8443', endpointHost: 'artifacts', endpointPort: 8443, operatorNamespace: 'swe-operator-system', nameServers: ['10.96.0.10'], bucket: 'swe', caBundle: () => 'CA' } as const
const tiny = { s3: { uri: 's3://swe/team/models/tiny' } }
const closed: ProbeVerdict = { kind: 'Probe', exitCode: 0, reason: 'Completed', message: 'Closed.', reached: [], remarks: [] }
const open: ProbeVerdict = { ...closed, message: 'It reaches the internet.', reached: ['the internet'] }
const probedBy = (verdict: ProbeVerdict) => [{ number: 1, pods: [], verdict }]
const made = { instances: 3, samples: 3, generated: 3, givenUp: 0, withoutPatch: 1, refused: 1, truncated: 0, repaired: 0, evaluationSets: 0, badRows: 0, retries: 0, promptTokens: 900, completionTokens: 400 }
const generated: GenerateVerdict = { kind: 'Generate', exitCode: 0, reason: 'Completed', message: '', summary: made, sources: { instances: { uri: 'hf://datasets/a/b', revision: 'abc' } }, predictions: 'samples/p0/predictions.jsonl' }
const summary = { instances: 3, predictions: 3, toRun: 2, emptyPatches: 1, withoutPrediction: 0, unknownIds: 0, duplicates: 0, badRows: 0, images: 2 }
const prepared: PrepareVerdict = { kind: 'PrepareEval', exitCode: 0, reason: 'Completed', message: '', summary, data: 'data/p1/' }

type Model = NonNullable<SWEBenchEvalSpec['generation']>['model']
type Changes = Partial<Omit<Observed, 'evaluation'>> & Readonly<{ model?: Model; spec?: Partial<SWEBenchEvalSpec>; status?: SWEBenchEvalStatus }>

/** An evaluation whose model is served, in a cluster that works and closes sandboxes. */
function asking({ model = tiny, spec, status, ...more }: Changes = {}): Observed {
  const evaluation: SWEBenchEval = parseSWEBenchEval({
    apiVersion: 'swe-operator.dev/v1alpha1', kind: 'SWEBenchEval',
    metadata: { namespace: 'team', name: 'lite', uid: '0b5e7c1a-eval', generation: 1 },
    spec: { instances: { hub: { repo: 'a/b' }, format: 'SWEBench' }, generation: { model }, ...spec },
    ...(status === undefined ? {} : { status }),
  } as SWEBenchEval)
  return { evaluation, now: NOW, settings, resolved: resolve(evaluation, settings), caBundle: 'CA', server: { pods: [] }, askings: [], preparations: [], probes: probedBy(closed), listeners: [], others: [], reports: [], rows: indexed([]), leftovers: [], consulted: true, ...more }
}

/** All parts of the server, and a pod that answers. */
function ready(): Server {
  const { evaluation, resolved } = asking()
  const conditions = [{ type: 'PodScheduled', status: 'True', lastTransitionTime: '2026-01-01T00:50:00Z' }, { type: 'Ready', status: 'True' }]
  const pod: Pod = {
    apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'team', name: 'lite-eval-serve-1', uid: 'p-1', labels: roleLabels(evaluation, 'serve'), creationTimestamp: '2026-01-01T00:50:00Z' },
    spec: { nodeName: 'n1' }, status: { phase: 'Running', conditions, initContainerStatuses: [{ name: 'fetch', state: { terminated: { exitCode: 0 } } }], containerStatuses: [{ name: 'serve', state: { running: {} } }] },
  }
  return { deployment: buildServer(evaluation, resolved, settings), service: buildServerService(evaluation), policy: buildServerPolicy(evaluation), inputs: buildServingInputs(evaluation, resolved, 'CA'), pods: [pod] }
}

const statusOf = (seen: Observed): SWEBenchEvalStatus => plan(seen).status ?? {}
const stateOf = (seen: Observed): unknown => statusOf(seen).state
const written = (seen: Observed): readonly string[] => plan(seen).writes.map((write) => (write.op === 'create' || write.op === 'apply' ? `${write.op} ${write.object.kind} ${write.object.metadata.name}` : `${write.op} ${write.ref.kind} ${write.ref.name}`))
const GONE = ['remove Deployment lite-eval-serve', 'remove Service lite-eval-serve', 'remove NetworkPolicy lite-eval-serve']

describe('an evaluation whose predictions a model makes', () => {
  it('serves the model first', () => {
    expect([stateOf(asking()), written(asking())]).toEqual(['Serving', ['apply ConfigMap lite-eval-model', 'apply NetworkPolicy lite-eval-sandboxes', 'create NetworkPolicy lite-eval-serve', 'create Service lite-eval-serve', 'create Deployment lite-eval-serve']])
  })

  it('asks once the model answers, and shows how answers are drawn: as the inference scripts of swebench do', () => {
    const seen = asking({ server: ready() })
    expect([stateOf(seen), written(seen)]).toEqual(['Generating', ['apply ConfigMap lite-eval-questions', 'apply NetworkPolicy lite-eval-sandboxes', 'create Job lite-eval-generate-1']])
    expect(statusOf(seen).resolved).toMatchObject({ samplesPerInstance: 1, temperature: '0.2', servingEngine: 'Transformers' })
    expect(statusOf(seen).cost).toEqual({ pods: 0, cpuSeconds: 0, memoryGiBSeconds: 0, seconds: 600, servingSeconds: 600, servingCpuSeconds: 1200, servingMemoryGiBSeconds: 4800 })
  })

  it('says how far that is while it goes on', () => {
    const askingProgress = { attempt: 1, step: 3, totalSteps: 12, percent: 25, etaSeconds: 95, updatedTime: '2026-01-01T01:00:00Z' }
    const labels = { 'swe-operator.dev/role': 'generate', 'swe-operator.dev/attempt': '1' }
    const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'team', name: 'lite-eval-generate-1-x', labels }, status: { phase: 'Running', containerStatuses: [{ name: 'generate', state: { running: {} } }] } }
    const seen = asking({ server: ready(), askings: [{ number: 1, pods: [pod] }], askingProgress })
    expect(statusOf(seen)).toMatchObject({ state: 'Generating', generation: { samples: 12, generated: 3 } })
    expect(statusOf(seen).conditions?.find(({ type }) => type === 'Ready')?.message).toBe('Pod lite-eval-generate-1-x asks the model for patches: 3 of 12 samples are there, the last one in about 2m.')
  })

  describe('whose model somebody is to ask who cannot start', () => {
    const [namespace, creationTimestamp] = ['team', '2026-01-01T00:50:00Z']
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { namespace, name: 'lite-eval-generate-1', creationTimestamp } }
    const askedBy = (state: NonNullable<ContainerStatus['state']>, more: Changes = {}): Observed => {
      const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name: 'asks', creationTimestamp }, status: { phase: 'Pending', containerStatuses: [{ name: 'generate', state }] } }
      return asking({ askings: [{ number: 1, job, pods: [pod] }], ...more })
    }
    const stuck = { waiting: { reason: 'CreateContainerConfigError', message: 'secret "hub" not found' } }

    it('takes its server down, and keeps the Job, which tells why', () => {
      const seen = askedBy(stuck, { server: ready() })
      expect([stateOf(seen), written(seen)]).toEqual(['CannotStart', [...GONE, 'apply ConfigMap lite-eval-questions', 'apply NetworkPolicy lite-eval-sandboxes']])
      expect(statusOf(seen).conditions?.find(({ type }) => type === 'Ready')?.message).toContain('secret "hub" not found This has lasted for 10 minutes; it still starts once the cause is removed. Until then its model is not served.')
      expect([stateOf(askedBy(stuck)), written(askedBy(stuck)).filter((write) => write.startsWith('create'))]).toEqual(['CannotStart', []])
    })

    it('keeps it for the first ten minutes', () => {
      const seen = askedBy(stuck, { server: ready(), now: new Date('2026-01-01T00:59:00Z') })
      expect([stateOf(seen), written(seen).filter((write) => write.startsWith('remove'))]).toEqual(['WaitingForReference', []])
    })

    it('serves it again once they start, and ends them before they give a sample up', () => {
      const seen = askedBy({ running: { startedAt: '2026-01-01T00:59:59Z' } })
      expect([stateOf(seen), written(seen)]).toEqual(['Serving', ['remove Job lite-eval-generate-1', 'apply ConfigMap lite-eval-model', 'apply NetworkPolicy lite-eval-sandboxes', 'create NetworkPolicy lite-eval-serve', 'create Service lite-eval-serve', 'create Deployment lite-eval-serve']])
    })
  })

  it('asks an endpoint with a key that no other pod sees, and serves nothing', () => {
    const seen = asking({ model: { endpoint: { url: 'https://api.example.com/v1', model: 'qwen', apiKeySecretRef: { name: 'api' } } } })
    expect([stateOf(seen), written(seen)]).toEqual(['Generating', ['apply ConfigMap lite-eval-questions', 'apply NetworkPolicy lite-eval-sandboxes', 'create Job lite-eval-generate-1']])
    expect(JSON.stringify(plan({ ...seen, generated }).writes)).not.toContain('"api"')
    expect(statusOf(seen).resolved).not.toHaveProperty('servingEngine')
  })

  it('prepares what was made, of the rows that were asked about, and serves no more', () => {
    const seen = asking({ server: ready(), generated })
    expect([stateOf(seen), written(seen)]).toEqual(['Preparing', [...GONE, 'apply ConfigMap lite-inputs-eval', 'apply NetworkPolicy lite-eval-sandboxes', 'create Job lite-prepare-eval-1']])
    const text = JSON.stringify(plan(seen).writes)
    expect(text).toContain('s3://swe/team/0b5e7c1a-eval/samples/p0/predictions.jsonl')
    expect(text).toContain('\\"revision\\": \\"abc\\"')
    expect(statusOf(seen).generation).toMatchObject({ generated: 3, withoutPatch: 1, refused: 1, completionTokens: 400 })
  })

  it('is graded as any other, and says what serving has cost', () => {
    const status = statusOf(asking({ server: ready(), generated }))
    const seen = asking({ status, prepared })
    expect(statusOf(seen)).toMatchObject({ state: 'Running', counts: { total: 3, emptyPatch: 1 }, cost: { servingSeconds: 600 }, generation: { samples: 3 } })
  })

  it('does not ask again once its pod is gone and the status tells what it made', () => {
    expect(stateOf(asking({ status: statusOf(asking({ generated })) }))).toBe('Preparing')
  })

  it('asks nothing while it is suspended, and gives the server back', () => {
    const seen = asking({ server: ready(), spec: { suspend: true } })
    expect([stateOf(seen), written(seen)]).toEqual(['Suspended', GONE])
  })

  it('reads nothing that the namespace may not read', () => {
    const seen = asking({ model: { s3: { uri: 's3://swe/other/models/tiny' } } })
    expect([stateOf(seen), written(seen)]).toEqual(['InvalidReference', []])
  })
})

describe('an evaluation of a run', () => {
  const model = { fromRun: { name: 'sft' } }
  const run = (type: string): TrainingRun => ({
    apiVersion: 'swe-operator.dev/v1alpha1', kind: 'TrainingRun', metadata: { namespace: 'team', name: 'sft', uid: 'u-sft' }, spec: { model: tiny, lora: {} } as TrainingRun['spec'],
    status: { state: 'Any', conditions: [{ type, status: 'True', reason: 'Any', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }], artifacts: [{ name: 'adapter/adapter_config.json', uri: 's3://swe/team/u-sft/result/a1/adapter/adapter_config.json', sha256: 'a'.repeat(64), sizeBytes: 1, createdTime: '2026-01-01T00:00:00Z' }] },
  })

  it('waits for it, and probes no sandbox meanwhile', () => {
    const seen = asking({ model, probes: [], referred: run('Ready') })
    expect([stateOf(seen), written(seen)]).toEqual(['WaitingForReference', []])
    expect(stateOf(asking({ model, referred: run('Failed') }))).toBe('UnusableReference')
  })

  it('says so where that one waits for it', () => {
    const [self, trained] = [{ kind: 'SWEBenchEval', name: 'lite' }, { kind: 'TrainingRun', name: 'sft' }]
    const seen = asking({ model, referred: run('Ready'), circle: [self, trained, self] })
    expect([stateOf(seen), written(seen)]).toEqual(['UnusableReference', []])
    expect(statusOf(seen).conditions?.find(({ type }) => type === 'Ready')?.message).toContain('SWEBenchEval lite → TrainingRun sft → SWEBenchEval lite wait for each other (spec.generation.model.fromRun).')
  })

  it('goes on once that is trained where it is the gate of it, and nobody else does', () => {
    const { evaluation, ...seen } = asking({ model, referred: run('Trained') })
    const own = { ...evaluation, metadata: { ...evaluation.metadata, ownerReferences: [ownedBy(run('Trained'))] } }
    expect([stateOf({ ...seen, evaluation }), stateOf({ ...seen, evaluation: own })]).toEqual(['WaitingForReference', 'Serving'])
    expect(statusOf({ ...seen, evaluation: own })).toMatchObject({ fromRun: { name: 'sft', uid: 'u-sft' } })
  })

  it('freezes what the run left before a server is made of it', () => {
    const status = statusOf(asking({ model, referred: run('Complete') }))
    expect(status).toMatchObject({ state: 'Serving', fromRun: { name: 'sft', uid: 'u-sft' } })
    expect(written(asking({ model, status }))).toContain('create Deployment lite-eval-serve')
  })
})

describe('sandboxes of an evaluation whose predictions a model makes', () => {
  it('are probed while the model is served', () => {
    expect(written(asking({ probes: [] })).at(-1)).toBe('create Job lite-eval-listener-1')
  })

  it('that are open end it before more is asked', () => {
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { namespace: 'team', name: 'lite-eval-generate-1' } }
    const seen = asking({ server: ready(), askings: [{ number: 1, job, pods: [] }], probes: probedBy(open) })
    expect([stateOf(seen), written(seen)]).toEqual(['NotIsolated', ['remove Job lite-eval-generate-1', ...GONE]])
    expect(stateOf(asking({ server: ready(), probes: probedBy(open), spec: { sandbox: { isolation: 'BestEffort' } } }))).toBe('Generating')
  })
})
