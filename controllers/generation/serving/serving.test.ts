import { describe, expect, it } from 'vitest'
import type { TrainingRun } from '../../../crds/training-run.ts'
import { aPod, asking, ended, GONE, onGpus, ready, running, said, saidOf, served, serving, stateOf, statusOf, tiny, written } from '../../../test/world/serving.ts'
import { buildQuestions } from '../resources/questions.ts'
import { buildServer } from '../resources/server.ts'
import { buildServingInputs } from '../resources/serving.ts'
import { fetchedBy, type Server } from './server.ts'

const DIGEST = 'd'.repeat(64)

describe('a model that is served here', () => {
  it('gets a server before anybody asks, closed in before it starts', () => {
    expect([stateOf(serving()), written(serving())]).toEqual(['Serving', ['apply ConfigMap smith-prefs-model', 'create NetworkPolicy smith-prefs-serve', 'create Service smith-prefs-serve', 'create Deployment smith-prefs-serve']])
    expect(statusOf(serving()).resolved).toMatchObject({ servingEngine: 'Transformers', servingCpu: '2', servingMemory: '8Gi', concurrency: 1 })
  })

  it('waits for the certificate that its pods trust', () => {
    const { caBundle: _, ...seen } = serving()
    expect([stateOf(seen), written(seen)]).toEqual(['Pending', []])
  })

  it.each([
    ['no pod yet', served(), 'The server of the model gets a pod.'],
    ['a pod that was refused', { ...served(), deployment: { ...served().deployment, status: { conditions: [{ type: 'ReplicaFailure', status: 'True', message: 'exceeded quota' }] } } } as Server, 'Deployment smith-prefs-serve gets no pod: exceeded quota'],
    ['an evicted pod alone', served({ ...aPod(), status: { phase: 'Failed' } }), 'The server of the model gets a pod.'],
    ['a model on its way', served(aPod({ fetch: running })), 'Pod smith-prefs-serve-1 fetches the model.'],
    ['a store that is away', served(aPod({ fetch: { restartCount: 9, state: ended(72, said(72, 'StoreUnavailable', 'It does not answer.')) } })), 'Fetching the model in pod smith-prefs-serve-1 ended with StoreUnavailable: It does not answer. It is tried again.'],
    ['a model that is loaded', served(aPod({ serve: running })), 'The model is there; the server in pod smith-prefs-serve-1 loads it.'],
    ['a server that ended', served(aPod({ serve: { restartCount: 1, lastState: ended(1, 'Killed by nobody'), ...running } })), 'The server in pod smith-prefs-serve-1 ended with Crashed: The program ended with exit code 1 and left no verdict. Its last words: Killed by nobody It is started again.'],
  ])('tells how far it is: %s', (_what, server, says) => {
    expect([stateOf(serving({ server })), saidOf(serving({ server })), written(serving({ server }))]).toEqual(['Serving', says, []])
  })

  it('is asked once it answers, at its Service and by the path of its folder', () => {
    const seen = serving({ server: ready() })
    expect([stateOf(seen), written(seen)]).toEqual(['Generating', ['apply ConfigMap smith-prefs-questions', 'create Job smith-prefs-generate-1']])
    const { 'run.json': text = '' } = buildQuestions(seen.generation, seen.resolved, 'CA').data ?? {}
    expect(JSON.parse(text)).toMatchObject({ model: { url: 'http://smith-prefs-serve.team.svc:8000/v1', name: '/models/tiny', credentials: 'None' }, concurrency: 1 })
  })

  it('is asked by nobody while the server starts again: answers are kept, and no sample is given up', () => {
    const seen = serving({ server: served(aPod({ serve: running })), ...asking() })
    expect([stateOf(seen), written(seen)]).toEqual(['Serving', ['remove Job smith-prefs-generate-1']])
    expect(stateOf(serving({ server: ready(), ...asking() }))).toBe('Generating')
  })

  it('has a part made again that somebody took away', () => {
    const { service: _, ...server } = ready()
    expect([stateOf(serving({ server, ...asking() })), written(serving({ server, ...asking() }))]).toEqual(['Serving', ['create Service smith-prefs-serve']])
  })

  it('is read again as it was read first', () => {
    const fetched = { kind: 'Fetch', exitCode: 0, reason: 'Completed', message: '', sources: { model: { uri: 'hf://a/b', revision: 'c'.repeat(40), sha256: DIGEST } } } as const
    const model = { hub: { repo: 'a/b' } }
    const status = statusOf(serving({ model, server: { ...ready(), fetched } }))
    expect(status.serving).toMatchObject({ model: { revision: 'c'.repeat(40), sha256: DIGEST }, readyTime: '2026-01-01T01:00:00Z' })
    const { 'run.json': text = '' } = buildServingInputs(serving({ model, status }).generation, serving({ model, status }).resolved, 'CA').data ?? {}
    expect(JSON.parse(text).model).toMatchObject({ repo: 'a/b', revision: 'c'.repeat(40), sha256: DIGEST })
  })

  it('has its verdict read from the container that fetches', () => {
    const terminated = { exitCode: 0, message: JSON.stringify({ kind: 'Fetch', exitCode: 0, reason: 'Completed', message: '', sources: { model: { uri: 'hf://a/b' } } }) }
    expect(fetchedBy(aPod({ fetch: { state: { terminated } } }))?.sources?.model.uri).toBe('hf://a/b')
    expect(fetchedBy(aPod({ fetch: { state: ended(66, said(66, 'ModelUnusable', '')) } }))).toBeUndefined()
  })
})

describe('a server that nobody needs any more', () => {
  const generated = { kind: 'Generate', exitCode: 0, reason: 'Completed', message: '', predictions: 'samples/p0/predictions.jsonl' } as const

  it('goes the moment the last sample is in', () => {
    const seen = serving({ server: ready(), generated })
    expect([stateOf(seen), written(seen)]).toEqual(['Preparing', [...GONE, 'apply ConfigMap smith-inputs-prefs', 'create Job smith-prepare-prefs-1']])
  })

  it('goes with a suspension, and comes back after it', () => {
    expect(written(serving({ server: ready(), spec: { suspend: true } }))).toEqual(GONE)
    expect([stateOf(serving({ spec: { suspend: true } })), written(serving({ spec: { suspend: true } }))]).toEqual(['Suspended', []])
  })

  it('goes when those who ask have failed for good', () => {
    const verdict = { kind: 'Generate', exitCode: 65, reason: 'InvalidData', message: 'No instance.' } as const
    const seen = serving({ server: ready(), askings: [{ number: 1, pods: [], verdict }] })
    expect([stateOf(seen), written(seen)]).toEqual(['InvalidData', GONE])
  })

  it('stays while those who ask are tried again', () => {
    const verdict = { kind: 'Generate', exitCode: 70, reason: 'EngineFailed', message: 'It broke.' } as const
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { namespace: 'team', name: 'j' }, status: { conditions: [{ type: 'Failed', status: 'True', lastTransitionTime: '2026-01-01T00:59:59Z' }] } }
    const seen = serving({ server: ready(), askings: [{ number: 1, job, pods: [], verdict }] })
    expect([stateOf(seen), written(seen)]).toEqual(['Retrying', []])
  })

  it('is not left behind by one that is finished', () => {
    const status = statusOf(serving({ reported: { kind: 'ReportGen', exitCode: 0, reason: 'Completed', message: '' } }))
    expect([status.state, written(serving({ status, server: ready() }))]).toEqual(['Succeeded', GONE])
  })

  it('is not asked to go twice', () => {
    const going = <T extends Server['service']>(object: T): T => object && { ...object, metadata: { ...object.metadata, deletionTimestamp: '2026-01-01T01:00:00Z' } }
    const { deployment, service, policy } = ready()
    const server = { pods: [], ...(deployment && { deployment: going(deployment) }), ...(service && { service: going(service) }), ...(policy && { policy: going(policy) }) }
    expect(written(serving({ server, generated }))).toEqual(['apply ConfigMap smith-inputs-prefs', 'create Job smith-prepare-prefs-1'])
  })
})

describe('a server that cannot be', () => {
  it.each([
    ['a model that no server takes', { fetch: { state: ended(66, said(66, 'ModelUnusable', 'There is no model at s3://a/b.')) } }, 'ModelUnusable', 'There is no model at s3://a/b.'],
    ['a Secret without a key, seen between two tries', { fetch: { restartCount: 1, lastState: ended(64, said(64, 'InvalidConfiguration', 'The Secret has no key.')), ...running } }, 'InvalidConfiguration', 'The Secret has no key.'],
    ['a program that broke four times', { fetch: { restartCount: 3, state: ended(70, said(70, 'EngineFailed', 'It broke.')) } }, 'Failed', 'Fetching the model failed 4 times, at last with EngineFailed: It broke. Remove the cause and create a new PreferenceGen.'],
    ['too little memory', { serve: { restartCount: 3, state: ended(137, '', { reason: 'OOMKilled' }) } }, 'Failed', 'The server of the model ended 3 times before it was ready, at last with HostOutOfMemory: It was killed because it exceeded its memory; set more in spec.generation.serving.resources.memory of a new PreferenceGen. Remove the cause and create a new PreferenceGen.'],
  ] as const)('fails with its reason, and leaves nothing behind: %s', (_what, told, state, says) => {
    const seen = serving({ server: served(aPod(told)), ...asking() })
    expect([stateOf(seen), saidOf(seen), written(seen)]).toEqual([state, says, ['remove Job smith-prefs-generate-1', ...GONE]])
  })

  it('is started again where it was ready before: what ended it may be one prompt', () => {
    const server = served(aPod({ serve: { restartCount: 9, state: ended(137, '', { reason: 'OOMKilled' }) } }))
    expect(stateOf(serving({ server, status: { serving: { readyTime: '2026-01-01T00:52:00Z' } } }))).toBe('Serving')
  })

  it('is stalled where its pod does not start for ten minutes', () => {
    const server = served(aPod({ fetch: { state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } } }))
    expect([stateOf(serving({ server })), saidOf(serving({ server }))]).toEqual(['CannotStart', expect.stringContaining('ImagePullBackOff: no such image')])
    const early = new Date('2026-01-01T00:51:00Z')
    expect(stateOf(serving({ server, now: early }))).toBe('Serving')
  })

  it('reads nothing that the namespace may not read', () => {
    const seen = serving({ model: { s3: { uri: 's3://swe/other/models/tiny' } } })
    expect([stateOf(seen), written(seen), saidOf(seen)]).toEqual(['InvalidReference', [], expect.stringContaining('spec.generation.model.s3.uri')])
  })
})

describe('a model that is served on GPUs', () => {
  it('gets what a server on GPUs takes, and many requests at once', () => {
    expect([stateOf(onGpus({})), written(onGpus({}))]).toEqual(['Serving', expect.arrayContaining(['create Deployment smith-prefs-serve'])])
    expect(statusOf(onGpus({ gpus: 2 })).resolved).toMatchObject({ servingEngine: 'VLLM', servingCpu: '16', servingMemory: '128Gi', servingGPUs: 2, servingReplicas: 1, concurrency: 32 })
    expect(statusOf(serving()).resolved).not.toHaveProperty('servingGPUs')
    expect(statusOf({ ...onGpus({ gpus: 2 }), server: ready() }).cost).toMatchObject({ servingSeconds: 600, servingGPUSeconds: 1200 })
  })

  it.each([
    ['a pool that is not there', { pool: 'h100' }, 'InvalidPool', "spec.generation.serving.pool h100 is no pool with GPUs of this operator; it has a100. Add it to the value pools of the operator's chart, and it goes on, or name another in a new PreferenceGen."],
    ['a pool without GPUs', { pool: 'cpu' }, 'InvalidPool', expect.stringContaining('spec.generation.serving.pool cpu is no pool with GPUs')],
    ['more GPUs than a node has', { gpus: 8 }, 'InvalidConfiguration', 'spec.generation.serving.gpus 8 is more than the 4 GPUs of a node of pool a100. Ask for 4 at most, or for another pool, in a new PreferenceGen.'],
  ])('gets no server with %s', (_what, more, state, says) => {
    expect([stateOf(onGpus(more)), saidOf(onGpus(more)), written(onGpus(more))]).toEqual([state, says, []])
  })

  it('is asked as soon as one of several servers answers, and by as many requests as all of them take', () => {
    const server = served(aPod({ name: 'old', serve: running, ready: true }), { ...aPod({ name: 'young', fetch: running }), metadata: { ...aPod({ name: 'young' }).metadata, creationTimestamp: '2026-01-01T00:59:00Z' } })
    expect(stateOf({ ...onGpus({ replicas: 2 }), server })).toBe('Generating')
    expect(statusOf(onGpus({ replicas: 3 })).resolved).toMatchObject({ servingReplicas: 3, concurrency: 96 })
    const { generation, resolved, settings: known } = onGpus({ replicas: 3 })
    expect(buildServer(generation, resolved, known).spec.replicas).toBe(3)
  })

  it('keeps its server where the installation forgets the pool', () => {
    expect(stateOf({ ...onGpus({}, []), server: served(aPod({ serve: running })) })).toBe('Serving')
  })
})

describe('the result of a run as the model', () => {
  const fromRun = { fromRun: { name: 'sft' } }
  const artifacts = ['adapter_config.json', 'adapter_model.safetensors'].map((name) => ({ name: `adapter/${name}`, uri: `s3://swe/team/u-sft/result/a1/adapter/${name}`, sha256: 'a'.repeat(64), sizeBytes: 1, createdTime: '2026-01-01T00:00:00Z' }))
  const run = (type: string, spec: object = {}): TrainingRun => ({
    apiVersion: 'swe-operator.dev/v1alpha1', kind: 'TrainingRun', metadata: { namespace: 'team', name: 'sft', uid: 'u-sft' },
    spec: { model: tiny, lora: {}, ...spec } as TrainingRun['spec'],
    status: { state: 'Any', conditions: [{ type, status: 'True', reason: 'Any', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }], model: { uri: tiny.s3.uri, sha256: DIGEST }, artifacts },
  })

  it('is waited for', () => {
    const seen = serving({ model: fromRun, referred: run('Ready') })
    expect([stateOf(seen), written(seen)]).toEqual(['WaitingForReference', []])
    expect(stateOf(serving({ model: fromRun }))).toBe('WaitingForReference')
    expect(stateOf(serving({ model: fromRun, referred: run('Failed') }))).toBe('UnusableReference')
  })

  it('is not waited for by what it waits for itself', () => {
    const [self, dpo] = [{ kind: 'PreferenceGen', name: 'smith' }, { kind: 'TrainingRun', name: 'sft' }]
    const seen = serving({ model: fromRun, referred: run('Ready'), circle: [self, dpo, self] })
    expect([stateOf(seen), written(seen), saidOf(seen)]).toEqual(['UnusableReference', [], expect.stringContaining('PreferenceGen smith → TrainingRun sft → PreferenceGen smith wait for each other (spec.generation.model.fromRun).')])
  })

  it('is taken down before a server is made of it, and then for ever', () => {
    const status = statusOf(serving({ model: fromRun, referred: run('Complete') }))
    expect(status).toMatchObject({ state: 'Serving', fromRun: { name: 'sft', uri: 's3://swe/team/u-sft/result/a1/adapter', adapter: { base: tiny } } })
    expect(written(serving({ model: fromRun, referred: run('Complete') }))).toEqual([])
    expect(written(serving({ model: fromRun, status }))).toContain('create Deployment smith-prefs-serve')
  })

  it('is frozen also while this one is suspended', () => {
    expect(statusOf(serving({ model: fromRun, referred: run('Complete'), spec: { suspend: true } }))).toMatchObject({ state: 'Suspended', fromRun: { name: 'sft' } })
  })

  it('takes a Secret of its own where the model below the adapter does', () => {
    const seen = serving({ model: fromRun, referred: run('Complete', { model: { s3: { ...tiny.s3, secretRef: { name: 'theirs' } } } }) })
    expect([stateOf(seen), saidOf(seen)]).toEqual(['InvalidReference', expect.stringContaining('spec.generation.model.fromRun.secretRef of a new PreferenceGen')])
    expect(statusOf(seen)).not.toHaveProperty('fromRun')
  })
})
