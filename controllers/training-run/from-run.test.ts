import { describe, expect, it } from 'vitest'
import { setConditions } from '../../operator/meta/conditions.ts'
import { outcome } from '../../test/world/planned.ts'
import { anObservation, aTrainingRun, completed, NOON, settings } from '../../test/world/training-run.ts'
import { TrainingRunType, type TrainingRun, type TrainingRunSpec, type TrainingRunStatus } from '../../crds/training-run.ts'
import { trainingRunKinds } from './controller.ts'
import { describeOrigin } from './from-run.ts'
import { modelSecret, modelSource } from './model-source.ts'
import { plan } from './plan.ts'
import { resolve } from './resolve.ts'

const REVISION = 'c'.repeat(40)
const DIGEST = 'd'.repeat(64)
const fromRun = { fromRun: { name: 'sft' } }

/** A run that is over, with what it left. */
function finished(state: 'Complete' | 'Failed', change: Partial<TrainingRunSpec> = {}, more: TrainingRunStatus = {}): TrainingRun {
  const { lora, ...rest } = aTrainingRun(change).spec
  const run: TrainingRun = { ...aTrainingRun(), spec: lora === undefined ? rest : { ...rest, lora } }
  const folder = run.spec.lora === undefined ? 'model' : 'adapter'
  const artifacts = ['adapter_config.json', 'adapter_model.safetensors'].map((name) => artifact(`${folder}/${name}`))
  const conditions = setConditions(undefined, [{ type: state, status: 'True', reason: state, message: '', observedGeneration: 1 }], NOON)
  const model = { uri: 's3://swe-operator/team/models/tiny', sha256: DIGEST }
  return { ...run, status: { state: state === 'Failed' ? 'Diverged' : 'Succeeded', conditions, resolved: resolve(run, settings), model, artifacts: [...artifacts, artifact('report.html')], ...more } }
}

const artifact = (name: string) => ({ name, uri: `s3://swe-operator/team/run-uid/result/a2/${name}`, sha256: 'a'.repeat(64), sizeBytes: 1, createdTime: '2026-01-01T12:00:00Z' })
const wholeModel = () => finished('Complete', { lora: undefined as never })
const waiting = (change: Partial<TrainingRunSpec> = {}) => anObservation({ model: fromRun, ...change })
const referringTo = (referred: TrainingRun, change: Partial<TrainingRunSpec> = {}) => waiting(change).with({ referred })

/** As the status has it after the pass that froze it. */
function continuing(referred: TrainingRun, change: Partial<TrainingRunSpec> = {}): TrainingRun {
  const seen = referringTo(referred, change)
  return { ...seen.run, status: plan(seen).status as TrainingRunStatus }
}

describe('a run that continues another one', () => {
  it.each([
    ['there is none of that name', waiting(), 'There is no TrainingRun sft in this namespace'],
    ['it trains', waiting().with({ referred: { ...aTrainingRun(), status: { state: 'Running' } } }), 'TrainingRun sft is Running; this one goes on by itself once that is Complete (spec.model.fromRun).'],
  ])('waits while %s, without a pod', (_why, seen, says) => {
    expect(outcome(seen)).toMatchObject({ state: 'WaitingForReference', writes: [], message: expect.stringContaining(says) })
    expect(plan(seen).status).not.toHaveProperty('fromRun')
  })

  it('says so when that one has failed, and goes on once another of its name is complete', () => {
    expect(outcome(referringTo(finished('Failed')))).toMatchObject({ state: 'UnusableReference', writes: [], message: expect.stringContaining('has ended Diverged') })
    expect(outcome(referringTo(finished('Complete')).inState('UnusableReference'))).toMatchObject({ state: 'Preparing' })
  })

  it('takes down what that one left before it makes anything of it', () => {
    const seen = referringTo(finished('Complete'))
    expect(outcome(seen)).toMatchObject({ state: 'Preparing', writes: [], message: expect.stringContaining('s3://swe-operator/team/run-uid/result/a2/adapter') })
    expect(plan(seen).status).toMatchObject({
      fromRun: {
        name: 'sft', uid: 'run-uid', uri: 's3://swe-operator/team/run-uid/result/a2/adapter',
        files: [{ name: 'adapter_config.json', sha256: 'a'.repeat(64) }, { name: 'adapter_model.safetensors', sha256: 'a'.repeat(64) }],
        adapter: { rank: 16, alpha: 32, targetModules: 'all-linear', base: { s3: { uri: 's3://swe-operator/team/models/tiny' }, sha256: DIGEST } },
      },
    })
    const run = continuing(finished('Complete'))
    expect(outcome(anObservation().with({ run, resolved: resolve(run, settings) }))).toMatchObject({ state: 'Preparing', writes: ['apply ConfigMap sft-inputs', 'create Job sft-prepare-1'] })
  })

  it('is complete itself when its result lies in the store, whatever became of the other', () => {
    expect(outcome(waiting().with({ result: completed(1) })).state).toBe('Succeeded')
  })

  it('keeps what was frozen when that run is deleted, or another one has its name', () => {
    const run = continuing(finished('Complete'))
    const other = finished('Complete')
    for (const referred of [undefined, { ...other, metadata: { ...other.metadata, uid: 'another' }, status: { ...other.status, artifacts: [] } }]) {
      expect(describeOrigin({ run, ...(referred === undefined ? {} : { referred }) })).toEqual(run.status?.fromRun)
    }
  })

  it('keeps its inputs while nobody knows its model any more', () => {
    const seen = anObservation().withData().attempt(1, { kind: 'Running' })
    const lost = { ...seen.run, spec: { ...seen.run.spec, model: fromRun } }
    expect(plan(seen.with({ run: lost })).writes).toEqual([])
  })

  it.each([
    ['the adapter, without lora', referringTo(finished('Complete'), { lora: undefined as never }), 'InvalidConfiguration', 'Set lora: {} in a new TrainingRun'],
    ['an adapter of a model that takes an access key', referringTo(finished('Complete', { model: { s3: { uri: 's3://other/models/tiny', secretRef: { name: 'key' } } } })), 'InvalidReference', 'spec.model.fromRun.secretRef'],
    ['an adapter of a model that takes a token', referringTo(finished('Complete', { model: { hub: { repo: 'Qwen/Private', tokenSecretRef: { name: 'key' } } } }), { model: { fromRun: { name: 'sft', secretRef: { name: 'key' } } } }), 'InvalidReference', 'spec.model.fromRun.tokenSecretRef'],
    ['nothing', referringTo(finished('Complete', {}, { artifacts: [] })), 'UnusableReference', 'list neither an adapter nor a model'],
  ])('is told what to mend where that one left %s', (_what, seen, state, says) => {
    expect(outcome(seen)).toMatchObject({ state, writes: [], message: expect.stringContaining(says) })
  })

  it('is told so also after a suspension during which that one became complete', () => {
    const seen = referringTo(finished('Complete'), { lora: undefined as never, suspend: true })
    expect(plan(seen).status).not.toHaveProperty('fromRun')
    expect(plan(referringTo(finished('Complete'), { suspend: true })).status).toMatchObject({ state: 'Suspended', fromRun: { name: 'sft' } })
  })

  it('hears of such a mistake before that one is complete', () => {
    expect(outcome(waiting({ lora: undefined as never }).with({ referred: aTrainingRun() })).state).toBe('InvalidConfiguration')
  })
})

describe('the model of a run that continues another one', () => {
  it('is the one below its adapter, read with the Secret that the run itself names', () => {
    const model = { s3: { uri: 's3://other/models/tiny', secretRef: { name: 'theirs' } } }
    const run = continuing(finished('Complete', { model }), { model: { fromRun: { name: 'sft', secretRef: { name: 'ours' } } } })
    expect(JSON.stringify(run.status)).not.toContain('theirs')
    expect([modelSource(run), modelSecret(run)]).toEqual([{ s3: { uri: 's3://other/models/tiny', secretRef: { name: 'ours' } }, hub: undefined, sha256: DIGEST }, 'ours'])
  })

  it('is at the commit that the adapter was trained on', () => {
    const status = { model: { uri: 'hf://Qwen/Tiny@main', revision: REVISION, sha256: DIGEST } }
    const run = continuing(finished('Complete', { model: { hub: { repo: 'Qwen/Tiny', endpoint: 'https://hub.example.com' } } }, status))
    expect(modelSource(run)?.hub).toEqual({ repo: 'Qwen/Tiny', revision: REVISION, endpoint: 'https://hub.example.com', tokenSecretRef: undefined })
  })

  it('is what that one left as a whole, with or without an adapter of its own', () => {
    const run = continuing(wholeModel())
    expect(modelSource(run)).toMatchObject({ s3: { uri: 's3://swe-operator/team/run-uid/result/a2/model' }, files: [{ name: 'adapter_config.json' }, {}] })
    expect(run.status?.fromRun).not.toHaveProperty('adapter')
    expect(resolve(run, settings)).toMatchObject({ fineTuning: 'LoRA', loraRank: 16 })
  })

  it('of a chain is that of the first', () => {
    const first = finished('Complete')
    const second = continuing(first)
    const third = continuing({ ...finished('Complete', { model: fromRun }), status: { ...finished('Complete').status, fromRun: second.status?.fromRun } })
    expect(modelSource(third)).toEqual(modelSource(second))
    const onWhole = continuing(wholeModel())
    const later = continuing({ ...finished('Complete', { model: fromRun }), status: { ...finished('Complete').status, fromRun: onWhole.status?.fromRun } })
    expect(modelSource(later)?.s3?.uri).toBe('s3://swe-operator/team/run-uid/result/a2/model')
  })
})

describe('the shape of an adapter that is continued', () => {
  const shaped = finished('Complete', { lora: { rank: 8, alpha: 4, targetModules: ['q_proj', 'v_proj'] } })

  it('is not decided before it is known', () => {
    const resolved = resolve(waiting().run, settings)
    expect(resolved).toMatchObject({ fineTuning: 'LoRA', loraDropout: '0.05' })
    expect(Object.keys(resolved)).not.toEqual(expect.arrayContaining(['loraRank']))
  })

  it('is its own where the specification is silent, also when something was resolved before', () => {
    const run = continuing(shaped)
    expect(resolve({ ...run, status: { ...run.status, resolved: resolve(waiting().run, settings) } }, settings)).toMatchObject({ loraRank: 8, loraAlpha: 4, targetModules: 'q_proj,v_proj' })
  })

  it('is passed on as it was written, for the preparation to compare', () => {
    expect(resolve(continuing(finished('Complete'), { lora: { rank: 64 } }), settings)).toMatchObject({ loraRank: 64, loraAlpha: 32 })
  })
})

describe('a run that waits for itself in the end', () => {
  const [self, next] = [{ kind: 'TrainingRun', name: 'sft' }, (kind: string) => ({ kind, name: 'next' })]

  it.each([
    ['TrainingRun', 'spec.model.fromRun'],
    ['PreferenceGen', 'spec.data.preferences.fromPreferenceGen'],
    ['SWEBenchEval', 'spec.data.trajectories.fromEval'],
  ])('is told so, by way of a %s, whatever else it waits for', (kind, field) => {
    const seen = referringTo({ ...aTrainingRun(), status: { state: 'Running' } }).with({ circle: [self, next(kind), self] })
    expect(outcome(seen)).toMatchObject({ state: 'UnusableReference', writes: [], message: expect.stringContaining(`TrainingRun sft → ${kind} next → TrainingRun sft wait for each other (${field}).`) })
  })
})

it('a run is found by the one that it waits for, as long as it waits', () => {
  const waitsFor = trainingRunKinds.find(({ type }) => type === TrainingRunType)?.indexes?.['waitingFor']
  expect(waitsFor?.(waiting().run)).toEqual(['TrainingRun/team/sft'])
  expect(waitsFor?.(continuing(finished('Complete')))).toEqual([])
  expect(waitsFor?.({ ...waiting().run, status: finished('Failed').status } as TrainingRun)).toEqual([])
  expect(waitsFor?.(aTrainingRun())).toEqual([])
})

it('a run with a gate is found by the evaluation that it must not be worse than, until it is judged', () => {
  const waitsFor = trainingRunKinds.find(({ type }) => type === TrainingRunType)?.indexes?.['waitingFor']
  const run = aTrainingRun({ gate: { evaluation: { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWEBench' } }, noWorseThan: { name: 'base' } } })
  expect(waitsFor?.(run)).toEqual(['SWEBenchEval/team/base'])
  expect(waitsFor?.({ ...run, status: { gate: { evaluation: { name: 'sft-gate', uid: 'u' }, passed: true } } } as TrainingRun)).toEqual([])
})
