import { describe, expect, it } from 'vitest'
import type { TrainingRun } from '../../crds/training-run.ts'
import type { KubeObject } from '../../operator/api/object.ts'
import { aTrainingRun } from '../../test/world/training-run.ts'
import { SimulatedLife } from '../../test/world/simulated-life.ts'
import { trainingRunKinds, trainingRunPermissions } from './controller.ts'
import { PodType } from '../shared/kinds.ts'

describe('an observation', () => {
  it('asks Kubernetes for its complaints only about a pod that keeps one waiting', async () => {
    const life = new SimulatedLife()
    await life.settle()
    life.cluster.runJobController()
    await life.settle()
    expect(life.complaintsRead).toBe(0)
    life.cluster.seconds += 60
    await life.settle()
    expect(life.complaintsRead).toBeGreaterThan(0)
  })

  it('shows a missing ConfigMap by name', async () => {
    const life = new SimulatedLife()
    life.complaint = 'MountVolume.SetUp failed for volume "data" : configmap "rows" not found'
    await life.settle()
    life.cluster.runJobController()
    life.cluster.seconds += 60
    await life.settle()
    expect(life.status.state).toBe('WaitingForReference')
  })

  it('does not end with the store: it says so and looks again', async () => {
    const life = new SimulatedLife()
    life.storeIsDown = true
    const { again } = await life.reconcile()
    expect([life.status.state, again]).toEqual(['StoreUnavailable', 15])
  })
})

describe('a run that continues another one', () => {
  const isComplete = [{ type: 'Complete', status: 'True' as const, reason: 'Succeeded', message: '', lastTransitionTime: '2026-01-01T12:00:00Z' }]
  const artifacts = [{ name: 'adapter/adapter_config.json', uri: 's3://swe-operator/team/base-uid/result/a1/adapter/adapter_config.json', sha256: 'a'.repeat(64), sizeBytes: 1, createdTime: '2026-01-01T12:00:00Z' }]
  const base: TrainingRun = { ...aTrainingRun(), metadata: { namespace: 'team', name: 'base', uid: 'base-uid' } }

  it('waits for it, takes down what it left, and ends although it is deleted meanwhile', async () => {
    const life = new SimulatedLife({ model: { fromRun: { name: 'base' } } })
    await life.settle()
    expect(life.status.state).toBe('WaitingForReference')
    life.cluster.write({ op: 'create', object: { ...base, status: { state: 'Running' } } as KubeObject })
    await life.settle()
    expect([life.status.state, life.cluster.jobs()]).toEqual(['WaitingForReference', []])
    life.cluster.write({ op: 'apply', object: { ...base, status: { state: 'Succeeded', conditions: isComplete, artifacts, resolved: { loraRank: 4, loraAlpha: 8, targetModules: 'q_proj' } } } as KubeObject })
    await life.reconcile()
    life.cluster.write({ op: 'remove', ref: { ...base, namespace: 'team', name: 'base' } })
    await life.goOn(20)
    expect(life.status).toMatchObject({ state: 'Succeeded', fromRun: { uid: 'base-uid', adapter: { rank: 4 } }, resolved: { loraRank: 4, loraAlpha: 8, targetModules: 'q_proj' } })
  })

  it.each([
    ['a run', { model: { fromRun: { name: 'base' } } }, { ...base, spec: { ...base.spec, model: { fromRun: { name: 'sft' } } } }],
    ['pairs', { data: { format: 'Preferences', preferences: { fromPreferenceGen: { name: 'base' } } }, method: 'DPO' }, { ...base, kind: 'PreferenceGen', spec: { generation: { model: { fromRun: { name: 'sft' } } } } }],
    ['an evaluation', { data: { format: 'PromptCompletion', trajectories: { fromEval: { name: 'base' } } } }, { ...base, kind: 'SWEBenchEval', spec: { generation: { model: { fromRun: { name: 'sft' } } } } }],
  ] as const)('tells of %s that waits for it, and goes on once that is gone', async (_what, spec, other) => {
    const life = new SimulatedLife(spec as object)
    life.cluster.write({ op: 'create', object: other as KubeObject })
    life.cluster.write({ op: 'create', object: life.cluster.run as KubeObject })
    await life.settle()
    expect(life.status).toMatchObject({ state: 'UnusableReference', conditions: expect.arrayContaining([expect.objectContaining({ type: 'Ready', message: expect.stringContaining(`TrainingRun sft → ${other.kind} base → TrainingRun sft`) })]) })
    life.cluster.remove(other as KubeObject)
    await life.settle()
    expect(life.status.state).toBe('WaitingForReference')
  })
})

describe('a run with a gate', () => {
  const gate = { evaluation: { instances: { configMap: { name: 'held-out', key: 'rows.jsonl' }, format: 'SWEBench' } }, noWorseThan: { name: 'base' } } as const
  const evaluation = (name: string, spec: object) => ({ apiVersion: 'swe-operator.dev/v1alpha1', kind: 'SWEBenchEval', metadata: { namespace: 'team', name }, spec }) as KubeObject
  const base = evaluation('base', { generation: { model: { fromRun: { name: 'sft' } } } })
  const messageOf = ({ status }: SimulatedLife) => status.conditions?.find(({ type }) => type === 'Ready')?.message

  it.each([
    ['an evaluation of its own result', [base], 'TrainingRun sft → SWEBenchEval base → TrainingRun sft'],
    ['one that is compared with such an evaluation', [evaluation('base', { compareWith: ['own'] }), { ...base, metadata: { namespace: 'team', name: 'own' } }], 'TrainingRun sft → SWEBenchEval base → SWEBenchEval own → TrainingRun sft'],
  ])('is told before it trains that it waits for itself by way of %s, and trains once that is gone', async (_what, others, circle) => {
    const life = new SimulatedLife({ gate })
    for (const object of [...others, life.cluster.run as KubeObject]) life.cluster.write({ op: 'create', object })
    await life.settle()
    expect([life.status.state, life.cluster.jobs()]).toEqual(['UnusableReference', []])
    expect(messageOf(life)).toBe(`${circle} wait for each other (spec.gate.noWorseThan). Delete one of them and create it so that it waits for none of the others. Or remove spec.gate to go on without.`)
    life.cluster.remove(others.at(-1) as KubeObject)
    await life.settle()
    expect(life.status.state).toBe('Preparing')
  })
})

describe('what is kept of a pod in the cache', () => {
  const kind = trainingRunKinds.find(({ type }) => type === PodType)
  const labels = { 'swe-operator.dev/training-run': 'sft' }
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'team', name: 'p', labels }, spec: { nodeName: 'n', containers: [{ name: 'train' }] }, status: { phase: 'Running' } }

  it('is its metadata, node and status', () => {
    expect(kind?.project?.(pod)).toEqual({ ...pod, spec: { nodeName: 'n' } })
  })

  it('can be found by the name of its run, even when that is gone', () => {
    expect(kind?.indexes?.['trainingRun']?.(pod)).toEqual(['team/sft'])
  })
})

describe('the permissions', () => {
  it('reach no Secret, no exec and no log', () => {
    const resources = trainingRunPermissions.flatMap((rule) => rule.resources)
    expect(resources).not.toEqual(expect.arrayContaining([expect.stringMatching(/secrets|exec|attach|log|\*/)]))
    expect(trainingRunPermissions.flatMap(({ verbs }) => verbs)).not.toContain('*')
  })
})
