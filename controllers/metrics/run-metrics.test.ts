import { Registry } from 'prom-client'
import { beforeEach, describe, expect, it } from 'vitest'

import type { TrainingRunProgress } from '../../crds/training-run.ts'
import { FakeApiServer } from '../../operator/testing/fake-api-server.ts'
import { FakeCache } from '../../operator/testing/fake-cache.ts'
import { createFakeWorld, type FakeWorld } from '../../operator/testing/fake-world.ts'
import type { Pace } from '../training-run/pace.ts'
import { exposeRunMetrics } from './run-metrics.ts'

const MINUTE_MS = 60_000

let world: FakeWorld
let api: FakeApiServer
let metrics: Registry
let leading: boolean
let reported: TrainingRunProgress | undefined
let pace: Pace | undefined

beforeEach(() => {
  ;[world, metrics, leading, reported, pace] = [createFakeWorld(), new Registry(), true, undefined, undefined]
  api = new FakeApiServer(world)
  exposeRunMetrics({ cache: new FakeCache(api), metrics, world, isLeading: () => leading, book: { of: () => reported, paceOf: () => pace } })
})

const put = (status: object, name = 'tiny') =>
  api.put({ apiVersion: 'swe-operator.dev/v1alpha1', kind: 'TrainingRun', metadata: { namespace: 'team', name, uid: `uid-of-${name}` }, status })
const aRunIn = (state: string, attempts: readonly object[] = [], name = 'tiny') => put({ state, attempts }, name)
const running = { number: 1, state: 'Running', pod: 'tiny-a1-x' }
const progress = (step: number, more: Partial<TrainingRunProgress> = {}): TrainingRunProgress => ({ attempt: 1, step, percent: 0, updatedTime: world.now().toISOString(), ...more })

/** The samples of one metric, without its name: `{labels} value`. */
async function samples(metric: string): Promise<readonly string[]> {
  const lines = (await metrics.metrics()).split('\n')
  const name = `swe_operator_training_${metric}`
  return lines.filter((line) => [`${name}{`, `${name} `].some((start) => line.startsWith(start))).map((line) => line.slice(name.length).trim())
}
const TINY = '{namespace="team",name="tiny"}'

describe('the metrics of runs', () => {
  it('count runs by state, with zeroes for the other states', async () => {
    aRunIn('Running')
    aRunIn('Running', [], 'other')
    const text = await metrics.metrics()
    expect(text).toContain('swe_operator_training_runs{state="Running"} 2')
    expect(text).toContain('swe_operator_training_runs{state="Failed"} 0')
  })

  it('count each finished attempt once, by how and why it ended', async () => {
    aRunIn('Running', [running])
    const preempted = { number: 1, state: 'Preempted', reason: 'Preempted' }
    aRunIn('Retrying', [preempted])
    aRunIn('Running', [preempted, { number: 2, state: 'Running' }])
    aRunIn('Succeeded', [preempted, { number: 2, state: 'Completed', reason: 'Completed' }])
    expect((await samples('attempts_total')).filter((sample) => !sample.endsWith(' 0')))
      .toEqual(['{state="Completed",reason="Completed"} 1', '{state="Preempted",reason="Preempted"} 1'])
  })

  it('do not count what was over before this process began', async () => {
    aRunIn('Succeeded', [{ number: 1, state: 'Completed', reason: 'Completed' }])
    expect((await samples('attempts_total')).filter((sample) => !sample.endsWith(' 0'))).toEqual([])
  })

  it('begin at zero for each known reason, so that a rate sees the first of its kind', async () => {
    expect(await samples('attempts_total')).toContain('{state="Failed",reason="HostOutOfMemory"} 0')
  })

  it('are silent on a standby, so that a sum over replicas is the truth', async () => {
    leading = false
    put({ state: 'Running', attempts: [running], cost: { seconds: 60, gpuSeconds: 60 } })
    reported = progress(3)
    expect(await metrics.metrics()).not.toMatch(/training_runs\{|name="tiny"/)
  })
})

describe('the figures of one run', () => {
  it('are its newest report, also before the status shows it', async () => {
    put({ state: 'Running', attempts: [running], progress: progress(3) })
    reported = progress(7, { totalSteps: 60, metrics: [{ name: 'loss', value: '2.5' }, { name: 'eval_loss', value: '2.75' }] })
    expect(await samples('run_step')).toEqual([`${TINY} 7`])
    expect(await samples('run_total_steps')).toEqual([`${TINY} 60`])
    expect(await samples('run_loss')).toEqual([`${TINY} 2.5`])
    expect(await samples('run_eval_loss')).toEqual([`${TINY} 2.75`])
  })

  it('are those of the status after a restart of the operator', async () => {
    put({ state: 'Running', attempts: [running], progress: progress(3) })
    expect(await samples('run_step')).toEqual([`${TINY} 3`])
  })

  it.each([['nan', 'Nan'], ['inf', '+Inf'], ['-inf', '-Inf'], ['1e-05', '0.00001']])('show a loss that the engine writes as %s', async (value, shown) => {
    aRunIn('Running', [running])
    reported = progress(7, { metrics: [{ name: 'loss', value }] })
    expect(await samples('run_loss')).toEqual([`${TINY} ${shown}`])
  })

  it('tell what it costs and how much of its budget is used', async () => {
    put({ state: 'Running', cost: { seconds: 7200, gpuSeconds: 14_400, amount: '9.60', currency: 'EUR', budgetUsedPercent: 92 } })
    expect(await samples('run_cost_amount')).toEqual(['{namespace="team",name="tiny",currency="EUR"} 9.6'])
    expect(await samples('run_gpu_seconds')).toEqual([`${TINY} 14400`])
    expect(await samples('run_node_seconds')).toEqual([`${TINY} 7200`])
    expect(await samples('run_budget_used_ratio')).toEqual([`${TINY} 0.92`])
  })

  it('disappear when it ends; its state is told for another hour', async () => {
    const end = world.now().toISOString()
    put({ state: 'Failed', progress: progress(3), conditions: [{ type: 'Failed', status: 'True', lastTransitionTime: end }] })
    expect(await samples('run_step')).toEqual([])
    expect(await samples('run_state')).toEqual(['{namespace="team",name="tiny",state="Failed",phase="Failed"} 1'])
    await world.advance(61 * MINUTE_MS)
    expect(await samples('run_state')).toEqual([])
  })

  it('never show two states of one run', async () => {
    aRunIn('Starting', [running])
    await samples('run_state')
    aRunIn('Running', [running])
    expect(await samples('run_state')).toEqual(['{namespace="team",name="tiny",state="Running",phase="Progressing"} 1'])
  })
})

describe('the silence of a run', () => {
  const silence = async () => [...(await samples('run_silence_seconds')), ...(await samples('run_silent'))].map((sample) => sample.slice(TINY.length + 1))

  it('is the time since its last report, and counts as one after five minutes', async () => {
    aRunIn('Running', [running])
    reported = progress(7)
    await world.advance(4 * MINUTE_MS)
    expect(await silence()).toEqual(['240', '0'])
    await world.advance(MINUTE_MS)
    expect(await silence()).toEqual(['300', '1'])
  })

  it('counts as one only after ten of its own steps, where these are long', async () => {
    aRunIn('Running', [running])
    ;[reported, pace] = [progress(7), { attempt: 1, secondsPerStep: 60, intervals: 5 }]
    await world.advance(9 * MINUTE_MS)
    expect(await silence()).toEqual(['540', '0'])
    await world.advance(MINUTE_MS)
    expect(await silence()).toEqual(['600', '1'])
  })

  it('begins with the program of a pod that never reported, whatever an earlier attempt said', async () => {
    const status = { phase: 'Running', containerStatuses: [{ name: 'train', state: { running: { startedAt: world.now().toISOString() } } }] }
    api.put({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'team', name: 'tiny-a2-x' }, status })
    ;[reported, pace] = [progress(7), { attempt: 1, secondsPerStep: 900, intervals: 5 }]
    aRunIn('Running', [{ ...running, state: 'Preempted' }, { number: 2, state: 'Running', pod: 'tiny-a2-x' }])
    await world.advance(6 * MINUTE_MS)
    expect(await silence()).toEqual(['360', '1'])
  })

  it.each(['Queued', 'Starting', 'Retrying', 'Suspended', 'BudgetExceeded'])('is none while nothing trains: %s', async (state) => {
    aRunIn(state, [running])
    reported = progress(7)
    await world.advance(60 * MINUTE_MS)
    expect(await silence()).toEqual([])
  })
})

describe('what all runs have spent', () => {
  const spent = async () => (await Promise.all(['node_seconds_total', 'gpu_seconds_total', 'cost_amount_total'].map(samples))).flat()
  const costing = (seconds: number, amount: string) => put({ state: 'Running', cost: { seconds, gpuSeconds: 2 * seconds, amount, currency: 'EUR' } })

  it('grows as the costs of runs do', async () => {
    put({ state: 'Starting' })
    costing(10, '0.5')
    costing(30, '1.5')
    expect(await spent()).toEqual(['30', '60', '{currency="EUR"} 1.5'])
  })

  it('leaves out what was spent before this process began, which another has counted', async () => {
    costing(100, '5')
    costing(130, '6.5')
    expect(await spent()).toEqual(['30', '60', '{currency="EUR"} 1.5'])
  })

  it('never falls, whatever a status says', async () => {
    costing(100, '5')
    costing(130, 'much')
    costing(20, '1')
    costing(30, '2')
    expect(await spent()).toEqual(['40', '80', '{currency="EUR"} 1'])
  })
})
