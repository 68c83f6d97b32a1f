import { describe, expect, it } from 'vitest'
import type { TrainingRunSpec } from '../../crds/training-run.ts'
import { ended, outcome } from '../../test/world/planned.ts'
import { aPricedObservation, aRecord, failed, preempted, type Observation } from '../../test/world/training-run.ts'
import { plan } from './plan.ts'

type Budget = TrainingRunSpec['budget']

const spent = (seconds: number) => ({ seconds, gpuSeconds: seconds, cost: (seconds / 1000).toFixed(4) })
const envOf = (seen: Observation): Readonly<Record<string, string>> => {
  const [write] = plan(seen).writes.filter(({ op }) => op === 'create')
  const job = JSON.parse(JSON.stringify(write && 'object' in write ? write.object : {}))
  return Object.fromEntries(job.spec.template.spec.containers[0].env.map((one: { name: string; value: string }) => [one.name, one.value]))
}
const withBudget = (seen: Observation, budget: Budget): Observation => {
  const { budget: _, ...spec } = seen.run.spec
  return seen.with({ run: { ...seen.run, spec: { ...spec, ...(budget === undefined ? {} : { budget }) } } })
}
const budgetSpent = (attempt: number, afterSeconds: number) => ({ ...ended(failed(attempt, 76, 'BudgetExceeded')), afterSeconds })

describe('what the budget leaves an attempt', () => {
  it.each<readonly [string, Budget, string | undefined]>([
    ['nothing where there is none', undefined, undefined],
    ['by money', { maxCost: '3.6' }, '3600'],
    ['by GPU-hours', { maxGPUHours: '0.5' }, '1800'],
    ['by time', { maxDuration: '1h30m' }, '5400'],
    ['the least of them', { maxCost: '3.6', maxGPUHours: '0.5', maxDuration: '1h30m' }, '1800'],
  ])('is told to its trainer: %s', (_what, budget, seconds) => {
    expect(envOf(aPricedObservation(budget === undefined ? {} : { budget }).withData())['SWE_BUDGET_SECONDS']).toBe(seconds)
  })

  it.each<readonly [Budget, string]>([
    [{ maxCost: '3.6' }, '3100'],
    [{ maxGPUHours: '1' }, '3100'],
    [{ maxDuration: '1h' }, '3100'],
  ])('is less what others used: %j', (budget, seconds) => {
    const seen = aPricedObservation({ budget }).withData().recorded(aRecord(1, 'Preempted', { lastStep: 3, ...spent(200) }), aRecord(2, 'Preempted', { lastStep: 5, ...spent(300) }))
    expect(envOf(seen)['SWE_BUDGET_SECONDS']).toBe(seconds)
  })

  it('counts each GPU', () => {
    const seen = aPricedObservation({ compute: { pool: 'a100', gpusPerNode: 4 }, budget: { maxGPUHours: '2' } }).withData()
    expect(envOf(seen)['SWE_BUDGET_SECONDS']).toBe('1800')
  })
})

describe('a run whose budget is spent', () => {
  const seen = aPricedObservation({ budget: { maxCost: '0.5' } }).withData().attempt(1, budgetSpent(1, 495), aRecord(1, 'Running'))

  it('is held, and its attempt recorded without a failure', () => {
    expect(outcome(seen)).toEqual({
      state: 'BudgetExceeded', writes: [], again: undefined,
      message: 'The run has used 0.4950 of 0.5 USD (spec.budget.maxCost); what is left does not even load the model. Raise the limit, and it continues from the newest checkpoint.',
    })
    expect(plan(seen).status).toMatchObject({ attempts: [{ state: 'Suspended', reason: 'BudgetExceeded', exitCode: 76 }] })
  })

  const held = seen.inState('BudgetExceeded', { ...plan(seen).status }).with({ attempts: aPricedObservation().recorded(aRecord(1, 'Suspended', { reason: 'BudgetExceeded', ...spent(495) })).attempts })

  it('stays held', () => {
    expect(outcome(held.later(90_000))).toMatchObject({ state: 'BudgetExceeded', writes: [] })
  })

  it('continues at once when it is raised or removed, whatever the retries', () => {
    for (const budget of [{ maxCost: '1' }, undefined]) {
      expect(outcome(withBudget(held, budget))).toMatchObject({ state: 'Starting', writes: ['create Job sft-a2'] })
    }
  })

  it('stays held when one limit of two is raised', () => {
    const both = withBudget(held, { maxCost: '1', maxDuration: '8m' })
    expect(outcome(both)).toMatchObject({ state: 'BudgetExceeded', message: expect.stringContaining('8m15s of 8m (spec.budget.maxDuration)') })
  })

  it('asks for somebody', () => {
    expect(plan(seen).events).toMatchObject([{ type: 'Normal', reason: 'BudgetExceeded' }, { type: 'Warning', reason: 'BudgetExceeded', action: 'HoldAtBudget' }])
    expect(plan(seen).status).toMatchObject({ conditions: expect.arrayContaining([expect.objectContaining({ type: 'Stalled', status: 'True' })]) })
  })

  it('gives its pod away once the end is recorded', () => {
    const record = aRecord(1, 'Suspended', { reason: 'BudgetExceeded', ...spent(495) })
    const recorded = aPricedObservation({ budget: { maxCost: '0.5' } }).withData().attempt(1, budgetSpent(1, 495), record)
    expect(outcome(recorded)).toMatchObject({ state: 'BudgetExceeded', writes: ['release Pod sft-a1-xyz12'] })
  })

  it('is failed when its attempt failed for good', () => {
    const diverged = aPricedObservation({ budget: { maxCost: '0.5' } }).withData().attempt(1, { ...ended(failed(1, 68, 'Diverged')), afterSeconds: 499 }, aRecord(1, 'Running'))
    expect(outcome(diverged).state).toBe('Diverged')
  })

  it('is suspended when that was asked for as well', () => {
    expect(outcome(held.suspended()).state).toBe('Suspended')
  })
})

describe('a budget that is too small to begin with', () => {
  it('costs no training pod', () => {
    const tiny = aPricedObservation({ budget: { maxDuration: '20s' } })
    expect(outcome(tiny.withData())).toMatchObject({ state: 'BudgetExceeded', writes: [], message: expect.stringContaining('0s of 20s (spec.budget.maxDuration); what is left does not even load the model') })
  })
})

describe('a trainer that stopped early for its last checkpoint', () => {
  const early = (budget: Budget) => {
    const seen = aPricedObservation({ budget: { maxDuration: '10m' } }).withData().attempt(1, { kind: 'Running', budgetSeconds: 600 })
    const { attempts } = aPricedObservation().attempt(1, budgetSpent(1, 500))
    const job = seen.attempts[0]?.job
    const finished = attempts.map((attempt) => ({ ...attempt, ...(job === undefined ? {} : { job: { ...job, status: attempt.job?.status ?? {} } }) }))
    return withBudget(seen.with({ attempts: finished }), budget).inState('Running', { attempts: [aRecord(1, 'Running')] })
  }

  it('is not started again for what it left', () => {
    expect(outcome(early({ maxDuration: '10m' }))).toMatchObject({ state: 'BudgetExceeded', message: expect.stringContaining('8m20s of 10m') })
  })

  it('is, as soon as the budget is raised a little', () => {
    expect(outcome(early({ maxDuration: '11m' })).state).toBe('Retrying')
  })

  it('comes to an end when it always claims so and never gets further', () => {
    const claims = Array.from({ length: 5 }, (_, i) => aRecord(i + 1, 'Suspended', { reason: 'BudgetExceeded' }))
    expect(outcome(aPricedObservation({ budget: { maxDuration: '10h' } }).withData().recorded(...claims)).state).toBe('Failed')
  })
})

describe('an attempt that is beyond its budget', () => {
  const budget = { maxDuration: '10m' }
  const attempt = aPricedObservation({ budget }).withData().attempt(1, { kind: 'Running', budgetSeconds: 600 }, aRecord(1, 'Running'))

  it('is left to its trainer, which knows its budget', () => {
    expect(outcome(attempt.later(600 + 120 + 59))).toMatchObject({ state: 'Running', writes: [] })
  })

  it('is stopped when the trainer does not', () => {
    expect(outcome(attempt.later(600 + 180))).toMatchObject({ state: 'BudgetExceeded', writes: ['remove Job sft-a1'], message: expect.stringContaining('up to 120 s to write a last checkpoint') })
  })

  it.each<readonly [string, Observation]>([
    ['lowered', withBudget(attempt, { maxDuration: '5m' })],
    ['given after it started', aPricedObservation({ budget: { maxDuration: '5m' } }).withData().attempt(1, { kind: 'Running' }, aRecord(1, 'Running'))],
  ])('is stopped at once when the budget was %s', (_what, seen) => {
    expect(outcome(seen.later(240)).state).toBe('Running')
    expect(outcome(seen.later(300))).toMatchObject({ state: 'BudgetExceeded', writes: ['remove Job sft-a1'] })
  })

  it('may upload its result', () => {
    const progress = { attempt: 1, step: 60, totalSteps: 60, percent: 99, updatedTime: '2026-01-01T12:09:50Z' }
    expect(outcome(attempt.later(9000).with({ progress }))).toMatchObject({ state: 'Running', writes: [] })
  })

  it('has its end told as one by the budget, and the run is held', () => {
    const stopped = { ...ended(preempted(1, { from: 0, to: 12 })), afterSeconds: 790 }
    const seen = aPricedObservation({ budget }).withData().attempt(1, stopped, aRecord(1, 'Running')).inState('BudgetExceeded')
    expect(outcome(seen).state).toBe('BudgetExceeded')
    expect(plan(seen).status).toMatchObject({ attempts: [{ state: 'Suspended', reason: 'BudgetExceeded', lastStep: 12, seconds: 790 }] })
  })

  it('still ends when the budget is raised meanwhile, and the next one follows', () => {
    const ending = aPricedObservation({ budget: { maxDuration: '1h' } }).withData().attempt(1, { kind: 'Running', deleting: true }, aRecord(1, 'Running')).inState('BudgetExceeded')
    const [{ job: _, ...going } = { number: 1, pods: [] }] = ending.attempts
    expect(outcome(ending.with({ attempts: [going] }))).toMatchObject({ state: 'BudgetExceeded', writes: [] })
  })

  it('ends as a suspension when that is asked for', () => {
    expect(outcome(attempt.later(900).suspended())).toMatchObject({ state: 'Suspending', writes: ['remove Job sft-a1'] })
  })
})

describe('a limit that nothing can measure', () => {
  it('holds the run before anything is created, and heals', () => {
    const seen = aPricedObservation({ compute: {}, budget: { maxCost: '10' } })
    expect(outcome(seen)).toMatchObject({ state: 'InvalidBudget', writes: [], message: expect.stringContaining('spec.budget.maxCost 10 needs a pool with a price') })
    expect(outcome(withBudget(seen, { maxDuration: '1h' })).state).toBe('Preparing')
  })
})
