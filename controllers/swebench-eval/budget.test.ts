// A budget of an evaluation: no sandbox starts once it is spent, and those that run finish.
import { describe, expect, it } from 'vitest'
import type { Budget } from '../../crds/budget.ts'
import type { SWEBenchEvalSpec, SWEBenchEvalStatus } from '../../crds/swebench-eval.ts'
import { anObservation, prepared, rows, stateOf, written, type Changes } from '../../test/world/evaluation-seen.ts'
import { ready } from '../../test/world/serving.ts'
import type { Observed } from './observed.ts'
import { plan } from './plan.ts'
import { windowOf } from './resolve.ts'

const atWork = (running: number) => ({ total: 3, settled: 2, running, lost: 0, isDone: false })
const statusOf = (seen: Observed): SWEBenchEvalStatus => plan(seen).status ?? {}
const saidOf = (seen: Observed): string => statusOf(seen).conditions?.find(({ type }) => type === 'Ready')?.message ?? ''
const heldAt = (state: string, spec: Partial<SWEBenchEvalSpec> = {}) => windowOf({ ...anObservation({ spec }).evaluation, status: { state } })

/** Two of three predictions had their tests, a minute each. */
const graded = (budget: Budget, more: Changes = {}): Observed => anObservation({ spec: { budget, ...more.spec }, prepared, rows: rows('R', 'U'), progress: atWork(1), ...more })

describe('an evaluation whose budget is spent', () => {
  it('lets sandboxes finish, starts none, and says so', () => {
    expect([stateOf(graded({ maxDuration: '2m' })), written(graded({ maxDuration: '2m' }))]).toEqual(['BudgetExceeded', []])
    expect(saidOf(graded({ maxDuration: '2m' }))).toBe('It has used 2m of 2m (spec.budget.maxDuration). Raise the limit, and it goes on with the samples and verdicts that are missing. 1 sandboxes finish; none starts.')
    expect(saidOf(graded({ maxDuration: '2m' }, { progress: atWork(0) }))).toBe('It has used 2m of 2m (spec.budget.maxDuration). Raise the limit, and it goes on with the samples and verdicts that are missing.')
  })

  it('shows how much of it is used, and counts tries that the cluster lost', () => {
    expect(statusOf(graded({ maxDuration: '8m' })).cost).toMatchObject({ seconds: 120, budgetUsedPercent: 25 })
    expect(stateOf(graded({ maxDuration: '2m' }, { rows: rows('i', 'i') }))).toBe('BudgetExceeded')
    expect(statusOf(anObservation({ prepared, rows: rows('R') })).cost).not.toHaveProperty('budgetUsedPercent')
  })

  it('goes on where there is something left', () => {
    expect(stateOf(graded({ maxDuration: '2m1s' }))).toBe('Running')
  })

  it('is reported where every verdict is there', () => {
    expect(stateOf(graded({ maxDuration: '2m' }, { rows: rows('R', 'U', 'U') }))).toBe('Reporting')
  })

  it('is prepared all the same, which is short', () => {
    expect(stateOf(anObservation({ spec: { budget: { maxDuration: '1s' } } }))).toBe('Preparing')
  })

  it('is suspended when that was asked for as well', () => {
    expect(stateOf(graded({ maxDuration: '2m' }, { spec: { budget: { maxDuration: '2m' }, suspend: true } }))).toBe('Suspending')
  })

  it.each([['Running', 16], ['BudgetExceeded', 0], ['InvalidBudget', 0], ['Reporting', 16]])('has room for sandboxes by its state alone, so that a new leader knows too: %s', (state, window) => {
    expect(heldAt(state)).toBe(window)
  })

  it('has none while it is suspended, whatever its state', () => {
    expect(heldAt('Running', { suspend: true })).toBe(0)
  })
})

describe('an evaluation that asks a model, with a budget', () => {
  const generation = { model: { s3: { uri: 's3://swe/team/models/tiny' } } }
  const asked = (maxDuration: string): Observed => {
    const { predictions: _, ...spec } = anObservation().evaluation.spec
    const seen = anObservation({ server: ready() })
    return { ...seen, evaluation: { ...seen.evaluation, spec: { ...spec, generation, budget: { maxDuration } } } }
  }

  it('has the model served no longer than that lasts', () => {
    expect([stateOf(asked('10m')), written(asked('10m'))]).toEqual(['BudgetExceeded', ['remove', 'remove', 'remove']])
    expect(stateOf(asked('20m'))).toBe('Generating')
  })
})
