import { describe, expect, it } from 'vitest'
import type { SWEBenchEval, SWEBenchEvalStatus } from '../../crds/swebench-eval.ts'
import type { TrainingRunGate, TrainingRunStatus } from '../../crds/training-run.ts'
import { ended, outcome } from '../../test/world/planned.ts'
import { a100, anObservation, aRecord, completed, settings, type Observation } from '../../test/world/training-run.ts'
import type { ConfigMap } from '../shared/kinds.ts'
import { wasTrained } from '../shared/lifecycle.ts'
import { plan } from './plan.ts'
import { buildGateEvaluation } from './resources/gate-evaluation.ts'

const evaluation = { instances: { configMap: { name: 'held-out', key: 'rows.jsonl' }, format: 'SWEBench' } } as const
const byRate: TrainingRunGate = { evaluation, minResolvedRate: '0.30' }
const byComparison: TrainingRunGate = { evaluation, noWorseThan: { name: 'base' } }

/** A run whose training has ended a moment ago. */
function trained(gate: TrainingRunGate = byRate): Observation {
  return anObservation({ gate }).withData().attempt(1, ended(completed(1)))
}

const statusOf = (seen: Observation): TrainingRunStatus => plan(seen).status ?? {}

/** The same once its status says so, with nothing left of its pods. */
function gating(gate: TrainingRunGate = byRate): Observation {
  return anObservation({ gate }).recorded(aRecord(1, 'Completed')).with({ status: statusOf(trained(gate)) } as object)
}

const condition = (type: string, message = '') => ({ type, status: 'True', reason: 'Any', message, lastTransitionTime: '2026-01-01T12:00:00Z' }) as const

/** The evaluation as the cluster has it. */
function anEvaluation(status: SWEBenchEvalStatus, seen = gating()): SWEBenchEval {
  const made = buildGateEvaluation(seen.run, seen.run.spec.gate ?? byRate)
  return { ...made, metadata: { ...made.metadata, uid: 'u-gate' }, status }
}

function measured(resolvedRate: string, more: SWEBenchEvalStatus = {}): SWEBenchEval {
  return anEvaluation({ state: 'Succeeded', conditions: [condition('Complete')], resolvedRate: { value: resolvedRate }, counts: { total: 30, incomplete: 0 }, data: { instances: 30 }, ...more })
}

/** What the program that publishes is told. */
function toldToHub(seen: Observation): unknown {
  const inputs = plan(seen).writes.flatMap((write) => (write.op === 'apply' && write.object.kind === 'ConfigMap' ? [write.object as ConfigMap] : []))
  return JSON.parse(inputs[0]?.data?.['run.json'] ?? 'null')
}

describe('a run with a gate', () => {
  it('first says that it is trained and where its result lies', () => {
    expect(outcome(trained())).toMatchObject({ state: 'Gating', writes: [] })
    expect(statusOf(trained()).artifacts).toEqual([expect.objectContaining({ name: 'adapter/adapter_model.safetensors' })])
    expect([wasTrained({ status: statusOf(trained()) }), wasTrained({ status: statusOf(anObservation({ gate: byRate }).withData()) })]).toEqual([true, false])
  })

  it('then has its result measured by an evaluation of its own', () => {
    expect(outcome(gating())).toMatchObject({ state: 'Gating', message: 'A SWEBenchEval begins to measure the result.', writes: ['apply SWEBenchEval sft-gate'] })
    expect(buildGateEvaluation(gating().run, byComparison)).toMatchObject({ metadata: { ownerReferences: [{ uid: 'run-uid' }] }, spec: { ...evaluation, generation: { model: { fromRun: { name: 'sft' } } }, compareWith: ['base'] } })
  })

  it('passes on how the result is asked, and the Secret that the model below its adapter takes', () => {
    const gate: TrainingRunGate = { evaluation: { ...evaluation, generation: { sampling: { maxTokens: 99 } }, parallelism: 4 }, minResolvedRate: '1' }
    const { run } = anObservation({ gate, model: { hub: { repo: 'a/b', tokenSecretRef: { name: 'hub' } } } })
    expect(buildGateEvaluation(run, gate).spec).toEqual({ ...evaluation, parallelism: 4, generation: { sampling: { maxTokens: 99 }, model: { fromRun: { name: 'sft', tokenSecretRef: { name: 'hub' } } } } })
  })

  it('repeats what its evaluation says while that goes on', () => {
    const seen = gating().with({ gateEvaluation: anEvaluation({ state: 'Running', progress: { percent: 50, running: 1, waiting: 1 }, conditions: [{ ...condition('Ready', '1 of 2 predictions have a verdict.'), status: 'False' }] }) })
    expect(outcome(seen)).toMatchObject({ state: 'Gating', message: 'SWEBenchEval sft-gate: 1 of 2 predictions have a verdict.', writes: [] })
    expect(statusOf(seen).gate).toEqual({ evaluation: { name: 'sft-gate', uid: 'u-gate', state: 'Running', percent: 50 } })
  })

  it('is complete once the rate is reached, and tells what the training came to though its pods are gone', () => {
    const seen = gating().with({ gateEvaluation: measured('0.3000') })
    const { state, message } = outcome(seen)
    expect([state, message]).toEqual(['Succeeded', expect.stringMatching(/^Trained 60 steps in 1 attempt, loss 2.31 → 1.02.* The result resolves 0.3000 in SWEBenchEval sft-gate; spec.gate.minResolvedRate asks for 0.30.$/)])
    expect(statusOf(seen)).toMatchObject({ gate: { resolvedRate: '0.3000', passed: true }, progress: { percent: 100, step: 60 }, loss: { last: '1.02' }, artifacts: [{ name: 'adapter/adapter_model.safetensors' }] })
  })

  it('fails below it, with both figures, and keeps its result', () => {
    const seen = gating().with({ gateEvaluation: measured('0.2999') })
    expect(outcome(seen)).toMatchObject({ state: 'GateFailed', message: 'The result resolves 0.2999 in SWEBenchEval sft-gate; spec.gate.minResolvedRate asks for 0.30. The result lies in the store.' })
    expect(statusOf(seen)).toMatchObject({ gate: { resolvedRate: '0.2999', passed: false }, artifacts: [{ name: 'adapter/adapter_model.safetensors' }] })
    expect(statusOf(seen).conditions?.filter(({ status }) => status === 'True').map(({ type }) => type)).toEqual(expect.arrayContaining(['Trained', 'Failed']))
  })

  it.each([
    ['it is reached without them', { rate: '0.3000', total: 30, incomplete: 20 }, 'Succeeded', 'spec.gate.minResolvedRate asks for 0.30.'],
    ['it is out of reach with them', { rate: '0.2000', total: 30, incomplete: 2 }, 'GateFailed', 'spec.gate.minResolvedRate asks for 0.30.'],
    ['they decide', { rate: '0.2000', total: 30, incomplete: 3 }, 'CannotGate', 'where 3 of 30 predictions have no verdict; with them it may reach the 0.30 that spec.gate.minResolvedRate asks for. The result lies in the store.'],
    ['all are lost', { rate: '0.0000', total: 30, incomplete: 30 }, 'CannotGate', 'where 30 of 30 predictions have no verdict'],
    ['they are all samples of one instance', { rate: '0.2750', total: 120, incomplete: 1 }, 'CannotGate', 'where 1 of 120 predictions have no verdict'],
  ])('is judged by its rate whatever was lost to the cluster, only where that changes nothing: %s', (_what, { rate, ...counts }, state, says) => {
    const seen = gating().with({ gateEvaluation: measured(rate, { counts }) })
    expect(outcome(seen)).toMatchObject({ state, message: expect.stringContaining(says) })
    expect(statusOf(seen).gate?.passed).toBe({ Succeeded: true, GateFailed: false }[state])
  })

  it.each([
    ['some of its own were lost', { counts: { total: 30, incomplete: 29 } }, 1, 'is not compared with SWEBenchEval base: 29 of 30 predictions have no verdict.'],
    ['the other has fewer', {}, 29, 'is not compared with SWEBenchEval base: that has a verdict for 29 of the 30 instances, and must have one for each.'],
  ])('is compared over all of its instances or not at all: %s', (_what, lost, instances, says) => {
    const gateEvaluation = measured('0.4000', { comparisons: [{ name: 'base', instances, difference: '0.0000', pValue: '1.0000', wins: 0, losses: 0 }], ...lost })
    const seen = gating(byComparison).with({ gateEvaluation })
    expect(outcome(seen)).toMatchObject({ state: 'CannotGate', message: expect.stringContaining(says), writes: [] })
    expect(statusOf(seen).gate).not.toHaveProperty('passed')
  })

  it.each([
    ['better', '0.2000', '0.0100', 'Succeeded'],
    ['worse, but perhaps by chance', '-0.2000', '0.0625', 'Succeeded'],
    ['the same', '0.0000', '1.0000', 'Succeeded'],
    ['significantly worse', '-0.2000', '0.0313', 'GateFailed'],
  ])('is judged by the paired test: %s', (_what, difference, pValue, state) => {
    const gateEvaluation = measured('0.4000', { comparisons: [{ name: 'base', instances: 30, difference, pValue, wins: 1, losses: 7 }] })
    const gateBaseline = measured('0.6000')
    const seen = gating(byComparison).with({ gateEvaluation, gateBaseline })
    expect(outcome(seen).state).toBe(state)
    expect(statusOf(seen).gate).toMatchObject({ resolvedRate: '0.4000', baseline: { name: 'base', resolvedRate: '0.6000', difference, pValue }, passed: state === 'Succeeded' })
    expect(outcome(seen).message).toContain(`significantly worse than SWEBenchEval base, which resolves 0.6000: difference ${difference} over the 30 instances of both, of which 1 are won and 7 lost, McNemar's p ${pValue}.`)
  })

  it.each([
    ['it failed', byRate, { conditions: [condition('Failed', 'Sandboxes are open.')] }, 'SWEBenchEval sft-gate has failed: Sandboxes are open.'],
    ['it has no rate', byRate, { conditions: [condition('Complete')] }, 'SWEBenchEval sft-gate is complete and has no resolve rate.'],
    ['nothing could be compared', byComparison, { conditions: [condition('Complete')], resolvedRate: { value: '0.1' }, comparisons: [{ name: 'base', problem: 'it has failed' }] }, 'which cannot be compared with SWEBenchEval base: it has failed.'],
  ] as const)('loses no result to an evaluation that says nothing: %s', (_what, gate, status, says) => {
    const seen = gating(gate).with({ gateEvaluation: anEvaluation(status) })
    expect(outcome(seen)).toMatchObject({ state: 'CannotGate', message: expect.stringContaining(says), writes: [] })
    expect(outcome(seen).message).toContain('Remove the cause and delete SWEBenchEval sft-gate; it is made anew then. Or remove spec.gate to complete the run without.')
    expect(outcome(gating(gate).inState('CannotGate', statusOf(seen))).writes).toEqual(['apply SWEBenchEval sft-gate'])
  })

  it.each([
    ['nothing was measured yet', {}],
    ['it is being measured', { gateEvaluation: anEvaluation({ state: 'Running' }) }],
    ['it cannot be judged', { gateEvaluation: measured('0.0000', { counts: { total: 30, incomplete: 30 } }) }],
  ])('completes without it once it is removed, and says nothing of it: %s', (_what, then) => {
    const before = gating().with(then)
    const { gate: _, ...spec } = before.run.spec
    const seen = anObservation().recorded(aRecord(1, 'Completed')).with({ run: { ...before.run, spec, status: { ...before.run.status, ...statusOf(before) } } })
    expect(outcome(seen)).toMatchObject({ state: 'Succeeded', writes: [], message: expect.not.stringContaining('SWEBenchEval') })
    expect(statusOf(seen)).not.toHaveProperty('gate')
  })

  it('that waits for itself has its evaluation made all the same, and says how to go on', () => {
    const self = { kind: 'TrainingRun', name: 'sft' }
    const seen = gating(byComparison).with({ circle: [self, { kind: 'SWEBenchEval', name: 'base' }, self] })
    expect(outcome(seen)).toMatchObject({ state: 'CannotGate', message: 'TrainingRun sft → SWEBenchEval base → TrainingRun sft wait for each other (spec.gate.noWorseThan). Delete one of them and create it so that it waits for none of the others. Or remove spec.gate to complete the run without.', writes: ['apply SWEBenchEval sft-gate'] })
    expect(outcome(seen.suspended()).state).toBe('Suspended')
  })

  it('leaves an evaluation of another alone that has its name', () => {
    const { metadata: { ownerReferences: _, ...metadata }, ...other } = measured('1.0000')
    const seen = gating().with({ gateEvaluation: { ...other, metadata } })
    expect(outcome(seen)).toMatchObject({ state: 'CannotGate', message: expect.stringMatching(/does not belong to this TrainingRun.* Or remove spec.gate to complete the run without.$/), writes: [] })
    expect(statusOf(seen)).not.toHaveProperty('gate')
  })

  it.each([
    ['finished', measured('1.0000')],
    ['at work', anEvaluation({ state: 'Running' })],
  ])('believes no evaluation that asks another model about other instances, though it has its name and owner: %s', (_what, { spec, ...rest }) => {
    const seen = gating().with({ gateEvaluation: { ...rest, spec: { ...spec, instances: { ...evaluation.instances, select: { limit: 1 } }, generation: { model: { s3: { uri: 's3://swe-operator/team/better' } } } } } })
    expect(outcome(seen)).toMatchObject({ state: 'CannotGate', message: 'SWEBenchEval sft-gate is not what this TrainingRun asks for: its spec.generation, spec.instances are others. Delete it; it is made anew then. Or remove spec.gate to complete the run without.', writes: [] })
    expect(statusOf(seen).gate).not.toHaveProperty('passed')
  })

  it('takes the evaluation as it is though its window and suspension are others by now', () => {
    const { spec, ...rest } = measured('0.5000')
    expect(outcome(gating().with({ gateEvaluation: { ...rest, spec: { ...spec, parallelism: 2, suspend: true, cleanup: { afterFinished: '1h' } } } })).state).toBe('Succeeded')
  })

  it('holds its evaluation while it is suspended', () => {
    expect(outcome(gating().suspended())).toMatchObject({ state: 'Suspended', writes: [] })
    const seen = gating().suspended().with({ gateEvaluation: anEvaluation({ state: 'Running' }) })
    expect(outcome(seen)).toMatchObject({ state: 'Suspending', writes: ['apply SWEBenchEval sft-gate'] })
  })

  it.each([
    ['another evaluation', { state: 'WaitingForReference' }, []],
    ['a person', { state: 'CannotStart' }, [condition('Stalled')]],
  ])('is held with an evaluation that waits for %s', (_what, status, more) => {
    const seen = gating(byComparison).suspended()
    const held = (conditions: SWEBenchEvalStatus['conditions']) => anEvaluation({ ...status, conditions: [...(conditions ?? []), { ...condition('Ready', 'The report waits.'), status: 'False' }] }, seen)
    expect(outcome(seen.with({ gateEvaluation: held(more) }))).toMatchObject({ state: 'Suspended', message: 'No sandbox runs. SWEBenchEval sft-gate: The report waits.', writes: [] })
    expect(outcome(seen.with({ gateEvaluation: anEvaluation(status, gating(byComparison)) })).state).toBe('Suspending')
    expect(outcome(gating(byComparison).suspended().with({ gateEvaluation: anEvaluation({ state: 'Running' }, seen) })).state).toBe('Suspending')
  })

  it('that lost its status trains nothing again, though its result is all that is left, and is measured all the same', () => {
    const lost = anObservation({ gate: byRate }).with({ result: completed(1) })
    expect(outcome(lost)).toMatchObject({ state: 'Gating', writes: [] })
    const next = anObservation({ gate: byRate }).inState('Gating', statusOf(lost))
    expect(outcome(next)).toMatchObject({ state: 'Gating', writes: ['apply SWEBenchEval sft-gate'] })
    expect(outcome(next.with({ gateEvaluation: measured('0.5000') })).state).toBe('Succeeded')
  })

  it('gives nothing to a hub before its gate is passed', () => {
    const publish = { hub: { repo: 'team/tuned', tokenSecretRef: { name: 'hub' } } }
    const seen = anObservation({ gate: byRate, publish }).recorded(aRecord(1, 'Completed')).with({ status: statusOf(trained()) } as object)
    expect(outcome(seen.with({ gateEvaluation: measured('0.1000') })).state).toBe('GateFailed')
    const passed = seen.with({ gateEvaluation: measured('0.9000') })
    expect([outcome(passed).state, statusOf(passed).gate?.passed]).toEqual(['Publishing', true])
  })

  it('tells a hub how it was measured, in the same words once its evaluation is gone', () => {
    const publish = { hub: { repo: 'team/tuned', tokenSecretRef: { name: 'hub' } } }
    const seen = anObservation({ gate: byRate, publish }).recorded(aRecord(1, 'Completed')).with({ status: statusOf(trained()), result: completed(1) } as object)
    const gateEvaluation = measured('0.9000', { resolvedRate: { value: '0.9000', low: '0.7', high: '0.97' }, counts: { resolved: 27, total: 30 }, data: { instances: 30, source: { uri: 'hf://SWE-bench/Held_Out', revision: 'c'.repeat(40) } } })
    const first = seen.with({ gateEvaluation })
    const told = { name: 'sft-gate', source: { uri: 'hf://SWE-bench/Held_Out', revision: 'c'.repeat(40) }, instances: 30, resolved: 27, total: 30, resolvedRate: '0.9000', low: '0.7', high: '0.97', minResolvedRate: '0.30', baseline: null }
    expect(toldToHub(first)).toMatchObject({ evaluation: told })
    expect(toldToHub(seen.inState('Publishing', statusOf(first)))).toEqual(toldToHub(first))
  })

  it('is refused before it trains where the evaluation could read nothing', () => {
    const gate: TrainingRunGate = { evaluation: { instances: { s3: { uri: 's3://swe-operator/other/rows.jsonl' }, format: 'SWEBench' } }, minResolvedRate: '0.5' }
    expect(outcome(anObservation({ gate }))).toMatchObject({ state: 'InvalidReference', message: expect.stringContaining('spec.gate.evaluation.instances.s3.uri') })
  })

  it.each([
    ['a pool that is not there', { pool: 'h100' }, 'InvalidPool', "spec.gate.evaluation.generation.serving.pool h100 is no pool with GPUs of this operator; it has a100. Add it to the value pools of the operator's chart, and it goes on, or name another in a new TrainingRun."],
    ['more GPUs than a node has', { pool: 'a100', gpus: 16 }, 'InvalidConfiguration', 'spec.gate.evaluation.generation.serving.gpus 16 is more than the 8 GPUs of a node of pool a100.'],
  ] as const)('is refused before it trains where nothing could serve its result: %s', (_what, on, state, says) => {
    const gate: TrainingRunGate = { evaluation: { ...evaluation, generation: { serving: { engine: 'VLLM', ...on } } }, minResolvedRate: '0.5' }
    expect(outcome(anObservation({ gate }, { ...settings, pools: [a100] }))).toMatchObject({ state, message: expect.stringContaining(says), writes: [] })
  })
})

describe('a run without a gate', () => {
  it('is trained and complete at once', () => {
    const seen = anObservation().withData().attempt(1, ended(completed(1)))
    expect([outcome(seen).state, wasTrained({ status: statusOf(seen) })]).toEqual(['Succeeded', true])
  })
})
