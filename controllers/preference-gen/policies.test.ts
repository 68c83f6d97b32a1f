import { describe, expect, it } from 'vitest'
import * as fc from 'fast-check'
import type { PreferenceGen, PreferenceGenSpec, PreferenceGenStatus } from '../../crds/preference-gen.ts'
import type { SWEBenchEval, SWEBenchEvalSpec, SWEBenchEvalStatus } from '../../crds/swebench-eval.ts'
import type { GenerateVerdict } from '../generation/verdicts.ts'
import type { Observed } from './observed.ts'
import { plan } from './plan.ts'
import { resolve } from './resolve.ts'
import { buildEvaluation } from './resources/evaluation.ts'
import type { PrepareVerdict, ReportVerdict } from './verdicts.ts'

const NOW = new Date('2026-01-01T01:00:00Z')
const settings = { harnessImage: 'harness:1', imagePullPolicy: 'Never', trainer: { image: 'trainer:1', imagePullPolicy: 'Never' }, serverImages: { Transformers: 'trainer:1', VLLM: 'docker.io/vllm/vllm-openai:v0.26.0', SGLang: 'docker.io/lmsysorg/sglang:v0.5.18' }, currency: 'USD', pools: [], artifactsUrl: 'https://artifacts:8443', progressUrl: 'https://progress:8443', bucket: 'swe', caBundle: () => 'CA' } as const
const summary = { instances: 3, samples: 12, uniquePatches: 9, emptyPatches: 1, withoutSample: 0, unknownIds: 0, duplicates: 0, badRows: 0, badPredictions: 0, notSelected: 0, evaluationSets: 1 }
const prepared: PrepareVerdict = { kind: 'PrepareGen', exitCode: 0, reason: 'Completed', message: '', summary, sources: { instances: { uri: 's3://swe/team/rows.jsonl' }, predictions: { uri: 's3://swe/team/preds.jsonl', sha256: 'a'.repeat(64) } }, data: 'data/p1/' }
const pairs = { instances: 3, samples: 12, uniquePatches: 9, resolved: 4, allPass: 1, allFail: 0, withPairs: 2, pairs: 5, yield: '0.4167', lengthRatio: '0.9312', dropped: [{ reason: 'TimedOut', count: 1 }] }
const reported: ReportVerdict = { kind: 'ReportGen', exitCode: 0, reason: 'Completed', message: '', summary: pairs, artifacts: [{ name: 'preferences.jsonl', key: 'report/p2/preferences.jsonl', sha256: 'b'.repeat(64), sizeBytes: 9 }] }

type Changes = Partial<Omit<Observed, 'generation'>> & Readonly<{ spec?: Partial<PreferenceGenSpec>; status?: PreferenceGenStatus }>

/** A PreferenceGen as it was just applied, in a cluster that works. */
function anObservation({ spec, status, ...more }: Changes = {}): Observed {
  const generation: PreferenceGen = {
    apiVersion: 'swe-operator.dev/v1alpha1', kind: 'PreferenceGen',
    metadata: { namespace: 'team', name: 'smith', uid: '0b5e7c1a-gen', generation: 1 },
    spec: { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWESmith' }, predictions: { configMap: { name: 'preds', key: 'preds.jsonl' } }, ...spec },
    ...(status === undefined ? {} : { status }),
  }
  return { generation, now: NOW, settings, resolved: resolve(generation, settings), caBundle: 'CA', server: { pods: [] }, askings: [], preparations: [], reports: [], leftovers: [], consulted: true, ...more }
}

const condition = (type: string, status: 'True' | 'False', message = '') => ({ type, status, reason: 'Any', message, lastTransitionTime: '2026-01-01T00:00:00Z' })

/** Its evaluation as the cluster has it. */
function anEvaluation(status: SWEBenchEvalStatus, spec: Partial<SWEBenchEvalSpec> = {}): SWEBenchEval {
  const { generation, resolved } = anObservation()
  const made = buildEvaluation(generation, resolved, settings, 'data/p1/')
  return { ...made, metadata: { ...made.metadata, uid: 'u-1' }, spec: { ...made.spec, ...spec }, status }
}

const graded = anEvaluation({ conditions: [condition('Complete', 'True')], cost: { pods: 12, cpuSeconds: 90, memoryGiBSeconds: 360, seconds: 90 }, counts: { resolved: 4, total: 9 }, artifacts: [{ name: 'results.jsonl', uri: 's3://swe/team/u-1/report/r/results.jsonl', sha256: '0'.repeat(64), sizeBytes: 1, createdTime: '2026-01-01T00:00:00Z' }] })
const statusOf = (seen: Observed): PreferenceGenStatus => plan(seen).status ?? {}
const stateOf = (seen: Observed): unknown => statusOf(seen).state
const saidOf = (seen: Observed): string => statusOf(seen).conditions?.find(({ type }) => type === 'Ready')?.message ?? ''
const written = (seen: Observed): readonly string[] => plan(seen).writes.map((write) => (write.op === 'create' || write.op === 'apply' ? `${write.op} ${write.object.kind} ${write.object.metadata.name}` : write.op))

describe('a PreferenceGen', () => {
  it('is prepared first', () => {
    expect([stateOf(anObservation()), written(anObservation())]).toEqual(['Preparing', ['apply ConfigMap smith-inputs-prefs', 'create Job smith-prepare-prefs-1']])
  })

  it('that names what its namespace may not read gets no pod', () => {
    const seen = anObservation({ spec: { predictions: { s3: { uri: 's3://swe/other/preds.json' } } } })
    expect([stateOf(seen), written(seen)]).toEqual(['InvalidReference', []])
    expect(saidOf(seen)).toContain('spec.predictions.s3.uri s3://swe/other/preds.json lies outside')
  })

  it('waits for the certificate that its pods trust', () => {
    const { caBundle: _, ...seen } = anObservation()
    expect([stateOf(seen), written(seen)]).toEqual(['Pending', []])
  })

  it('asks the store before anything else, and decides nothing while it is away', () => {
    const seen = anObservation({ storeTrouble: 'The store does not answer', consulted: false })
    expect([stateOf(seen), written(seen)]).toEqual(['StoreUnavailable', []])
    expect(statusOf(seen).conditions?.find(({ type }) => type === 'Complete')?.status).toBe('Unknown')
  })

  it('has what was prepared graded by an evaluation of its own, each resolving patch twice', () => {
    const seen = anObservation({ prepared })
    expect([stateOf(seen), written(seen)]).toEqual(['Grading', ['apply SWEBenchEval smith-grade']])
    expect(plan(seen).writes[0]).toMatchObject({ object: { spec: { instances: { s3: { uri: 's3://swe/team/0b5e7c1a-gen/data/p1/instances.jsonl' }, format: 'SWESmith' }, predictions: { s3: { uri: 's3://swe/team/0b5e7c1a-gen/data/p1/predictions.jsonl' } }, confirmResolved: true } } })
    expect(statusOf(seen)).toMatchObject({ data: { samples: 12, uniquePatches: 9, prefix: 'data/p1/', predictionsSource: { sha256: 'a'.repeat(64) } }, startedTime: '2026-01-01T01:00:00Z' })
  })

  it('has gold patches proven where they are what is chosen', () => {
    const [write] = plan(anObservation({ prepared, spec: { pairs: { chosen: 'Gold' } } })).writes
    expect(write).toMatchObject({ object: { spec: { baseline: 'Cached' } } })
  })

  it('writes nothing while its evaluation is as it should be, and repeats what that says', () => {
    const seen = anObservation({ prepared, evaluation: anEvaluation({ state: 'Running', progress: { percent: 33, running: 2, waiting: 4 }, counts: { resolved: 1, total: 9 }, conditions: [condition('Ready', 'False', '3 of 9 predictions have a verdict, 2 are at work.')] }) })
    expect([stateOf(seen), written(seen), saidOf(seen)]).toEqual(['Grading', [], 'SWEBenchEval smith-grade: 3 of 9 predictions have a verdict, 2 are at work.'])
    expect(statusOf(seen).evaluation).toEqual({ name: 'smith-grade', uid: 'u-1', state: 'Running', percent: 33, resolved: 1, total: 9 })
  })

  it('passes its window on to the evaluation that runs', () => {
    const seen = anObservation({ prepared, evaluation: anEvaluation({ state: 'Running' }), spec: { parallelism: 4 } })
    expect(written(seen)).toEqual(['apply SWEBenchEval smith-grade'])
  })

  it('leaves an evaluation of another alone that has its name, and says what to do', () => {
    const { metadata: { ownerReferences: _, ...metadata }, ...other } = anEvaluation({ state: 'Running' })
    const seen = anObservation({ prepared, evaluation: { ...other, metadata } })
    expect([stateOf(seen), written(seen)]).toEqual(['CannotGrade', []])
    expect(saidOf(seen)).toContain('There is a SWEBenchEval smith-grade that does not belong to this PreferenceGen')
    expect(statusOf(seen)).not.toHaveProperty('evaluation')
  })

  it('makes no pairs of what an evaluation says about other patches, though it has its name and owner', () => {
    const seen = anObservation({ prepared, evaluation: { ...graded, spec: { ...graded.spec, predictions: { gold: {} } } } })
    expect([stateOf(seen), written(seen)]).toEqual(['CannotGrade', []])
    expect(saidOf(seen)).toBe('SWEBenchEval smith-grade is not what this PreferenceGen asks for: its spec.predictions is another. Delete it; it is made anew then.')
  })

  it('is stalled where its evaluation is, and goes on with it', () => {
    const seen = anObservation({ prepared, evaluation: anEvaluation({ state: 'CannotStart', conditions: [condition('Stalled', 'True'), condition('Ready', 'False', 'Image x cannot be pulled.')] }) })
    expect([stateOf(seen), saidOf(seen)]).toEqual(['CannotGrade', 'SWEBenchEval smith-grade: Image x cannot be pulled.'])
  })

  it('fails with its evaluation, and says why', () => {
    const seen = anObservation({ prepared, evaluation: anEvaluation({ conditions: [condition('Failed', 'True', 'Sandboxes are open.')] }) })
    expect([stateOf(seen), saidOf(seen)]).toEqual(['GradingFailed', 'SWEBenchEval smith-grade has failed: Sandboxes are open. Remove the cause and create a new PreferenceGen.'])
  })

  it('makes pairs once everything is graded, from the reports of the evaluation', () => {
    const seen = anObservation({ prepared, evaluation: graded })
    expect([stateOf(seen), written(seen)]).toEqual(['Pairing', ['apply ConfigMap smith-inputs-prefs', 'create ConfigMap smith-prefs-results', 'create Job smith-prefs-report-1']])
    const results = plan(seen).writes.flatMap((write) => (write.op === 'create' && write.object.kind === 'ConfigMap' ? [JSON.parse((write.object as { data?: Record<string, string> }).data?.['results.json'] ?? '')] : []))
    expect(results).toEqual([{ version: 1, evaluation: { name: 'smith-grade', uid: 'u-1' }, artifacts: { 'results.jsonl': 's3://swe/team/u-1/report/r/results.jsonl' } }])
    expect(statusOf(seen).cost).toEqual({ pods: 12, cpuSeconds: 90, memoryGiBSeconds: 360, seconds: 90 })
  })

  it('succeeds with what the pairs are, and where they lie', () => {
    const seen = anObservation({ prepared, evaluation: graded, reported })
    expect([stateOf(seen), written(seen), saidOf(seen)]).toEqual(['Succeeded', [], '5 pairs of 2 instances, from 12 samples of which 4 resolve. Instances without a contrast: 1 that every sample resolves.'])
    expect(statusOf(seen)).toMatchObject({ counts: { pairs: 5, withPairs: 2 }, yield: '0.4167', lengthRatio: '0.9312', dropped: [{ reason: 'TimedOut', count: 1 }], artifacts: [{ name: 'preferences.jsonl', uri: 's3://swe/team/0b5e7c1a-gen/report/p2/preferences.jsonl' }], finishedTime: '2026-01-01T01:00:00Z' })
  })

  it('that lost its status grades nothing again that was paired', () => {
    expect([stateOf(anObservation({ reported })), written(anObservation({ reported }))]).toEqual(['Succeeded', []])
  })

  it('stays finished, whatever was cleaned up since', () => {
    const status = statusOf(anObservation({ prepared, evaluation: graded, reported }))
    expect([stateOf(anObservation({ status })), written(anObservation({ status }))]).toEqual(['Succeeded', []])
  })

  it('lets go of what it has in the cluster once that is wanted, and of nothing before', () => {
    const status = statusOf(anObservation({ prepared, evaluation: graded, reported }))
    const leftovers = [{ apiVersion: 'batch/v1', kind: 'Job', namespace: 'team', name: 'smith-prefs-report-1' }]
    const later = (minutes: number) => plan(anObservation({ status, leftovers, spec: { cleanup: { afterFinished: '1h' } }, now: new Date(NOW.getTime() + 60_000 * minutes) }))
    expect([later(59).writes, later(59).again, later(60).writes]).toEqual([[], 60, [{ op: 'remove', ref: leftovers[0] }]])
  })

  it('says why its samples cannot be used', () => {
    const verdict: PrepareVerdict = { kind: 'PrepareGen', exitCode: 65, reason: 'InvalidData', message: 'spec.instances: every instance is of an evaluation set.', summary }
    const seen = anObservation({ preparations: [{ number: 1, pods: [], verdict }] })
    expect([stateOf(seen), saidOf(seen), statusOf(seen).data?.evaluationSets]).toEqual(['InvalidData', 'spec.instances: every instance is of an evaluation set.', 1])
  })
})

describe('a PreferenceGen whose samples are compared with evaluations', () => {
  const sources = [{ uri: 'hf://datasets/SWE-bench/SWE-bench_Verified@main', revision: 'c104f84', sha256: 'e'.repeat(64) }]
  const found = { ...summary, removed: [{ rule: 'SamePatch', instances: 1, samples: 4 }], decontamination: { rows: 500, badRows: 0, sources } }

  it('shows what was left out by rule, and the revision of what it was compared with', () => {
    expect(statusOf(anObservation({ prepared: { ...prepared, summary: found } })).data).toMatchObject({ removed: found.removed, decontamination: found.decontamination })
  })

  it('reads none of them outside of its own prefix without a Secret', () => {
    const elsewhere = (at: string) => ({ s3: { uri: at }, format: 'SWEBench' as const })
    const seen = anObservation({ spec: { decontamination: { against: [elsewhere('s3://swe/team/eval.jsonl'), elsewhere('s3://swe/others/eval.jsonl')] } } })
    expect([stateOf(seen), written(seen)]).toEqual(['InvalidReference', []])
    expect(saidOf(seen)).toContain('spec.decontamination.against[1].s3.uri s3://swe/others/eval.jsonl lies outside')
  })
})

describe('a PreferenceGen that has a model make its samples', () => {
  const { predictions: _, ...spec } = anObservation().generation.spec
  const api = { endpoint: { url: 'https://api.example.com/v1', model: 'qwen', apiKeySecretRef: { name: 'api' } } }
  const generated: GenerateVerdict = { kind: 'Generate', exitCode: 0, reason: 'Completed', message: '', summary: { instances: 3, samples: 12, generated: 11, givenUp: 1, withoutPatch: 1, truncated: 0, repaired: 2, evaluationSets: 0, badRows: 0, retries: 4, promptTokens: 900, completionTokens: 4000 }, sources: { instances: { uri: 'hf://datasets/a/b', revision: 'abc' } }, predictions: 'samples/p0/predictions.jsonl' }
  const asking = (more: Changes = {}): Observed => {
    const seen = anObservation(more)
    const generation: PreferenceGen = { ...seen.generation, spec: { ...spec, ...more.spec, generation: { model: api } } }
    return { ...seen, generation, resolved: resolve(generation, settings) }
  }

  it('asks it first, with a key that no other pod sees', () => {
    expect([stateOf(asking()), written(asking())]).toEqual(['Generating', ['apply ConfigMap smith-prefs-questions', 'create Job smith-prefs-generate-1']])
    expect(JSON.stringify(plan(asking({ generated })).writes)).not.toContain('"api"')
  })

  it('prepares what it made, of the rows that it was asked about', () => {
    const seen = asking({ generated, spec: { instances: { hub: { repo: 'a/b' }, format: 'SWESmith' } } })
    expect([stateOf(seen), written(seen)]).toEqual(['Preparing', ['apply ConfigMap smith-inputs-prefs', 'create Job smith-prepare-prefs-1']])
    const text = JSON.stringify(plan(seen).writes[0])
    expect(text).toContain('s3://swe/team/0b5e7c1a-gen/samples/p0/predictions.jsonl')
    expect(text).toContain('\\"revision\\": \\"abc\\"')
    expect(statusOf(seen).generation).toMatchObject({ generated: 11, givenUp: 1, completionTokens: 4000, predictions: 'samples/p0/predictions.jsonl' })
  })

  it('does not ask again once its pod is gone and the status tells what it made', () => {
    const status = statusOf(asking({ generated }))
    expect(stateOf(asking({ status }))).toBe('Preparing')
  })

  it('asks nothing while it is suspended, and lets go of the pod that does', () => {
    expect([stateOf(asking({ spec: { suspend: true } })), written(asking({ spec: { suspend: true } }))]).toEqual(['Suspended', []])
  })

  it('shows how samples are drawn, and no other does', () => {
    expect(statusOf(asking()).resolved).toMatchObject({ samplesPerInstance: 4, temperature: '0.8', concurrency: 8 })
    expect(statusOf(asking()).resolved).not.toHaveProperty('servingEngine')
    expect(statusOf(asking()).resolved).not.toHaveProperty('promptCodeTokens')
    expect(statusOf(anObservation()).resolved).not.toHaveProperty('temperature')
  })
})

describe('a PreferenceGen that is suspended', () => {
  const suspended = { suspend: true } as const

  it('is prepared all the same, and grades nothing', () => {
    expect(stateOf(anObservation({ spec: suspended }))).toBe('Preparing')
    const seen = anObservation({ spec: suspended, prepared })
    expect([stateOf(seen), written(seen)]).toEqual(['Suspended', []])
  })

  it('holds its evaluation, which lets its sandboxes finish', () => {
    const seen = anObservation({ spec: suspended, prepared, evaluation: anEvaluation({ state: 'Running' }) })
    expect([stateOf(seen), written(seen)]).toEqual(['Suspending', ['apply SWEBenchEval smith-grade']])
    const held = anObservation({ spec: suspended, prepared, evaluation: anEvaluation({ state: 'Suspended' }, suspended) })
    expect([stateOf(held), written(held)]).toEqual(['Suspended', []])
  })

  it('makes pairs where everything was graded before', () => {
    expect(stateOf(anObservation({ spec: suspended, prepared, evaluation: graded }))).toBe('Pairing')
  })
})

describe('a plan', () => {
  const anything = fc.record({
    prepared: fc.constantFrom(undefined, prepared),
    reported: fc.constantFrom(undefined, reported),
    evaluation: fc.constantFrom(undefined, graded, anEvaluation({ state: 'Running' }), anEvaluation({ conditions: [condition('Failed', 'True')] })),
    consulted: fc.boolean(),
    storeTrouble: fc.constantFrom(undefined, 'away'),
    suspend: fc.boolean(),
  }).map(({ suspend, ...rest }) => anObservation({ ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)), spec: suspend ? { suspend } : {} }))

  it('is the same for the same observation', () => {
    fc.assert(fc.property(anything, (seen) => {
      expect(plan(seen)).toEqual(plan(seen))
    }))
  })

  it('that was carried out plans the same status again, at another time too', () => {
    fc.assert(fc.property(anything, (seen) => {
      const { status } = plan(seen)
      const later = { ...seen, now: new Date(NOW.getTime() + 60_000), generation: { ...seen.generation, status: status as PreferenceGenStatus } }
      const again = plan(later).status
      expect({ ...again, artifacts: undefined }).toEqual({ ...status, artifacts: undefined })
    }))
  })
})
