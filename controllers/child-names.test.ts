import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { API_VERSION } from '../crds/common.ts'
import { kinds } from '../crds/kinds.ts'
import type { PreferenceGen } from '../crds/preference-gen.ts'
import type { SWEBenchEval } from '../crds/swebench-eval.ts'
import type { TrainingRun } from '../crds/training-run.ts'
import type { KubeObject } from '../operator/api/object.ts'
import { aTrainingRun, settings as installation } from '../test/world/training-run.ts'
import type { Asker } from './generation/asker.ts'
import { buildGenerateJob } from './generation/resources/generate-job.ts'
import { buildQuestions } from './generation/resources/questions.ts'
import { buildServer, buildServerPolicy, buildServerService } from './generation/resources/server.ts'
import { buildServingInputs } from './generation/resources/serving.ts'
import { resolve as resolvePreferences } from './preference-gen/resolve.ts'
import * as preferenceInputs from './preference-gen/resources/inputs.ts'
import * as preferenceJobs from './preference-gen/resources/jobs.ts'
import * as preferenceResults from './preference-gen/resources/results.ts'
import { buildEvaluation } from './preference-gen/resources/evaluation.ts'
import { resolve as resolveEval } from './swebench-eval/resolve.ts'
import { indexed } from './swebench-eval/rows.ts'
import { buildInputs as buildEvalInputs } from './swebench-eval/resources/inputs.ts'
import * as evalJobs from './swebench-eval/resources/jobs.ts'
import { buildNetworkPolicy } from './swebench-eval/resources/network-policy.ts'
import { buildListenerJob, buildProbeJob } from './swebench-eval/resources/probe-jobs.ts'
import { buildResults, buildShard } from './swebench-eval/resources/results.ts'
import { buildSandboxPod } from './swebench-eval/resources/sandbox-pod.ts'
import { resolve as resolveRun } from './training-run/resolve.ts'
import { buildAttemptJob } from './training-run/resources/attempt-job.ts'
import { buildInputs as buildRunInputs } from './training-run/resources/config-map.ts'
import { buildGateEvaluation } from './training-run/resources/gate-evaluation.ts'
import { buildPrepareJob } from './training-run/resources/prepare-job.ts'
import { buildPublishInputs } from './training-run/resources/publish-inputs.ts'
import { buildPublishJob } from './training-run/resources/publish-job.ts'

const image = 'docker.io/library/x:1'
const settings = { ...installation, harnessImage: image, trainer: { image, imagePullPolicy: 'Never' }, serverImages: { Transformers: image, VLLM: image, SGLang: image }, endpointHost: 'artifacts', endpointPort: 8443, operatorNamespace: 'swe-operator-system', nameServers: [] } as const
const spec = { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWESmith' }, generation: { model: { s3: { uri: 's3://swe-operator/team/models/tiny' } } } } as const

/** All that is made for one resource of a kind, where each of its Jobs has this number. */
const children = {
  TrainingRun: (metadata, number) => {
    const run: TrainingRun = { ...aTrainingRun(), metadata }
    const resolved = resolveRun(run, settings)
    const gate = buildGateEvaluation(run, { evaluation: { instances: { ...spec.instances, format: 'SWEBench' } }, minResolvedRate: '0.5' })
    const maps = [buildRunInputs(run, resolved, 'CA'), buildPublishInputs(run, resolved, { attempts: 1, cost: undefined, gate: undefined }, 'CA')]
    return [...maps, gate, buildPrepareJob(run, resolved, settings, number), buildAttemptJob(run, resolved, settings, { number, microBatch: 1 }), buildPublishJob(run, resolved, settings, number)]
  },
  PreferenceGen: (metadata, number) => {
    const generation: PreferenceGen = { apiVersion: API_VERSION, kind: 'PreferenceGen', metadata, spec }
    const resolved = resolvePreferences(generation, settings)
    const evaluation = buildEvaluation(generation, resolved, settings, 'data/p1/')
    const maps = [preferenceInputs.buildInputs(generation, resolved, {}, 'CA'), preferenceResults.buildResults(generation, evaluation)]
    return [...maps, evaluation, preferenceJobs.buildPrepareJob(generation, settings, number), preferenceJobs.buildReportJob(generation, settings, number), ...askedFor(generation, resolved, number)]
  },
  SWEBenchEval: (metadata, number) => {
    const evaluation: SWEBenchEval = { apiVersion: API_VERSION, kind: 'SWEBenchEval', metadata, spec }
    const resolved = resolveEval(evaluation, settings)
    const plan = { evaluation, resolved, settings, number }
    const maps = [buildEvalInputs(evaluation, resolved, { settings, predictions: {}, caBundle: 'CA' }), buildResults(evaluation, indexed([]), { baselines: 0, compareWith: [] }), buildShard(evaluation, number, [])]
    const sandbox = buildSandboxPod({ evaluation, resolved, settings, unit: { ordinal: 1, attempt: 1 }, purpose: 'Grade', image, capability: 'c', address: '10.96.0.7' })
    const jobs = [evalJobs.buildPrepareJob(evaluation, resolved, settings, number), evalJobs.buildReportJob(evaluation, settings, number), buildListenerJob(plan), buildProbeJob(plan, '10.244.0.9')]
    return [...maps, sandbox, buildNetworkPolicy(evaluation, resolved, settings), ...jobs, ...askedFor(evaluation, resolved, number)]
  },
} satisfies Record<string, (metadata: Metadata, number: number) => readonly KubeObject[]>

type Metadata = Readonly<{ namespace: string; name: string; uid: string }>
type Kind = keyof typeof children

function askedFor(asker: Asker, resolved: Parameters<typeof buildServer>[1], number: number): readonly KubeObject[] {
  const maps = [buildQuestions(asker, resolved, 'CA'), buildServingInputs(asker, resolved, 'CA')]
  return [...maps, buildGenerateJob(asker, settings, number), buildServer(asker, resolved, settings), buildServerService(asker), buildServerPolicy(asker)]
}

const longest = (kind: string): number => kinds.find((one) => one.kind === kind)?.nameMaxLength ?? 0

/** Names made of the words that children have in theirs. */
const resources = fc.constantFrom<Kind>('TrainingRun', 'PreferenceGen', 'SWEBenchEval').chain((kind) => fc.record({
  kind: fc.constant(kind),
  name: fc.array(fc.constantFrom('x', 'eval', 'prefs', 'inputs', 'prepare', 'publish', 'gate', 'grade', 'report', 'rows', 'a1', '1', 'y'.repeat(40)), { minLength: 1, maxLength: 5 }).map((words) => `x-${words.join('-')}`.slice(0, longest(kind)).replace(/-$/, '')),
  number: fc.constantFrom(1, 11, 123_456),
}))

type Wanting = Readonly<{ kind: Kind; name: string; number: number }>

function childrenOf({ kind, name, number }: Wanting): readonly KubeObject[] {
  return children[kind]({ namespace: 'team', name, uid: '0b5e7c1a-1111-2222-3333-444455556666' }, number)
}

const wanted = (one: Wanting): readonly string[] => childrenOf(one).map(({ kind, metadata }) => `${kind} ${metadata.name}`)

it('no two resources of a namespace, of whatever kinds and names, want an object of one name', () => {
  fc.assert(fc.property(resources, resources, (one, other) => {
    fc.pre(one.kind !== other.kind || one.name !== other.name)
    const taken = wanted(one)
    expect(new Set(taken).size).toBe(taken.length)
    expect(wanted(other).filter((name) => taken.includes(name))).toEqual([])
  }), { numRuns: 500, examples: [
    [{ kind: 'TrainingRun', name: 'x-eval', number: 1 }, { kind: 'SWEBenchEval', name: 'x', number: 1 }],
    [{ kind: 'TrainingRun', name: 'x-prefs', number: 1 }, { kind: 'PreferenceGen', name: 'x', number: 1 }],
    [{ kind: 'TrainingRun', name: 'x', number: 1 }, { kind: 'TrainingRun', name: 'x-inputs', number: 1 }],
  ] })
})

it.each(kinds.map(({ kind, nameMaxLength }) => [kind as Kind, nameMaxLength] as const))('Jobs of a %s with a name as long as it may be fit a label, however often they are tried', (kind, length) => {
  const names = [99, 100, 1000, 1_000_000].flatMap((number) => childrenOf({ kind, name: 'x'.repeat(length), number }).filter((child) => child.kind === 'Job').map(({ metadata }) => metadata.name))
  expect(Math.max(...names.map((name) => name.length))).toBe(63)
  expect(new Set(names).size).toBe(names.length)
})
