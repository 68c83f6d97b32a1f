// A budget of having a model asked, and of the tests that follow.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Budget } from '../../crds/budget.ts'
import type { PreferenceGenStatus } from '../../crds/preference-gen.ts'
import type { SWEBenchEval, SWEBenchEvalStatus } from '../../crds/swebench-eval.ts'
import { aPod, asking, GONE, NOW, onGpus, pools, ready, running, saidOf, served, serving, settings, stateOf, statusOf, tiny, written } from '../../test/world/serving.ts'
import { poolsSchema } from '../pools/pool-config.ts'
import type { Observed } from '../preference-gen/observed.ts'
import { plan } from '../preference-gen/plan.ts'
import { buildEvaluation } from '../preference-gen/resources/evaluation.ts'
import type { PrepareVerdict } from '../preference-gen/verdicts.ts'
import type { GenerateVerdict } from './verdicts.ts'

const priced = poolsSchema.parse([{ name: 'a100', platform: 'GKE', gpu: 'A100-80', pricePerGPUHour: '3.6' }]) // 0.001 a second
const STOPPED = ['remove Job smith-prefs-generate-1', ...GONE]
const STARTED = ['apply ConfigMap smith-prefs-model', 'create NetworkPolicy smith-prefs-serve', 'create Service smith-prefs-serve', 'create Deployment smith-prefs-serve']

/** A server on one GPU that has worked for ten minutes and is asked. */
const asked = (budget: Budget | undefined): Observed => ({ ...onGpus({}, priced, budget === undefined ? {} : { budget }), server: ready(), ...asking() })

/** As it is once everything that was to go is gone. */
const gone = (budget: Budget | undefined, status: PreferenceGenStatus): Observed => {
  const { server: _, askings: __, ...seen } = asked(budget)
  return { ...seen, server: { pods: [] }, askings: [], generation: { ...seen.generation, status } }
}

describe('a model whose budget is spent', () => {
  it.each<readonly [Budget, string]>([
    [{ maxCost: '0.6' }, '0.6000 of 0.6 USD (spec.budget.maxCost)'],
    [{ maxGPUHours: '0.15' }, '0.17 of 0.15 GPU-hours (spec.budget.maxGPUHours)'],
    [{ maxDuration: '10m' }, '10m of 10m (spec.budget.maxDuration)'],
    [{ maxCost: '100', maxDuration: '9m' }, '9m54s of 9m (spec.budget.maxDuration)'],
  ])('is neither asked nor served any more: %j', (budget, used) => {
    expect([stateOf(asked(budget)), written(asked(budget))]).toEqual(['BudgetExceeded', STOPPED])
    expect(saidOf(asked(budget))).toBe(`It has used ${used}. Raise the limit, and it goes on with the samples and verdicts that are missing. The pod that asks the model stores its answers and stops.`)
  })

  it.each<readonly [string, Budget | undefined]>([['without one', undefined], ['with money left', { maxCost: '0.61' }], ['with time left', { maxDuration: '10m1s' }]])('is another matter %s', (_what, budget) => {
    expect([stateOf(asked(budget)), written(asked(budget))]).toEqual(['Generating', ['apply ConfigMap smith-prefs-questions']])
  })

  const held = statusOf({ ...asked({ maxDuration: '10m' }), askingProgress: { attempt: 1, step: 3, totalSteps: 12, percent: 25, updatedTime: '2026-01-01T00:59:00Z' } })

  it('stays so, and says how far it came', () => {
    const seen = gone({ maxDuration: '10m' }, held)
    expect([stateOf(seen), written(seen)]).toEqual(['BudgetExceeded', []])
    expect(saidOf(seen)).toBe('It has used 10m of 10m (spec.budget.maxDuration) at 3 of 12 samples. Raise the limit, and it goes on with the samples and verdicts that are missing.')
    expect(statusOf(seen).cost).toMatchObject({ seconds: 600, servingSeconds: 600, amount: '0.6000', budgetUsedPercent: 100 })
  })

  it('asks for somebody', () => {
    expect(plan(asked({ maxDuration: '10m' })).events).toMatchObject([{ type: 'Warning', reason: 'BudgetExceeded', action: 'HoldAtBudget' }])
    expect(held.conditions).toEqual(expect.arrayContaining([expect.objectContaining({ type: 'Stalled', status: 'True' }), expect.objectContaining({ type: 'Failed', status: 'False' })]))
  })

  it.each<readonly [string, Budget | undefined]>([['raised', { maxDuration: '20m' }], ['removed', undefined], ['another', { maxCost: '9' }]])('is served and asked again once it is %s', (_what, budget) => {
    expect([stateOf(gone(budget, held)), written(gone(budget, held))]).toEqual(['Serving', STARTED])
  })

  it('is not served for what does not even load it', () => {
    const seen = gone({ maxDuration: '10m29s' }, held)
    expect([stateOf(seen), written(seen)]).toEqual(['BudgetExceeded', []])
    expect(saidOf(seen)).toContain('10m of 10m29s (spec.budget.maxDuration) at 3 of 12 samples; what is left does not even load the model.')
    expect(stateOf(gone({ maxDuration: '10m30s' }, held))).toBe('Serving')
  })

  it('is suspended when that was asked for as well', () => {
    const seen = asked({ maxDuration: '10m' })
    expect(stateOf({ ...seen, generation: { ...seen.generation, spec: { ...seen.generation.spec, suspend: true } } })).toBe('Suspending')
  })

  it('is looked at often enough that a small one holds, and each minute with a large one', () => {
    const at = (seconds: number, budget: Budget) => ({ ...asked(budget), server: served(aPod({ serve: running, ready: true })), now: new Date(NOW.getTime() - 600_000 + seconds * 1000) })
    const looks = (budget: Budget) => [statusOf(at(39, budget)).cost?.servingSeconds, plan(at(39, budget)).again]
    expect([looks({ maxDuration: '40s' }), looks({ maxCost: '0.04' }), looks({ maxDuration: '8h' })]).toEqual([[38, 2], [38, 2], [undefined, 15]])
    expect([stateOf(at(39, { maxDuration: '40s' })), stateOf(at(40, { maxDuration: '40s' }))]).toEqual(['Generating', 'BudgetExceeded'])
  })
})

describe('a limit that nothing can measure', () => {
  const budget = { maxCost: '10' }

  it('holds everything, says what to do, and heals', () => {
    const seen = onGpus({}, pools, { budget })
    expect([stateOf(seen), written(seen), saidOf(seen)]).toEqual(['InvalidBudget', [], "spec.budget.maxCost 10 needs a pool with a price, and pool a100 has none. Set its pricePerGPUHour or pricePerPodHour in the value pools of the operator's chart, or use spec.budget.maxDuration in place of maxCost."])
    expect([stateOf(onGpus({}, priced, { budget })), stateOf(onGpus({}, pools, { budget: { maxDuration: '1h' } }))]).toEqual(['Serving', 'Serving'])
  })

  it('lets no server go on for which it is given later', () => {
    const seen = { ...onGpus({}, pools, { budget }), server: ready(), ...asking() }
    expect([stateOf(seen), written(seen)]).toEqual(['InvalidBudget', STOPPED])
  })

  it('is not told of before the pool is known', () => {
    expect(stateOf(onGpus({ pool: 'h100' }, priced, { budget }))).toBe('InvalidPool')
  })
})

describe('the tests of samples with a budget', () => {
  const generated: GenerateVerdict = { kind: 'Generate', exitCode: 0, reason: 'Completed', message: '', predictions: 'samples/p0/predictions.jsonl' }
  const prepared: PrepareVerdict = { kind: 'PrepareGen', exitCode: 0, reason: 'Completed', message: '', data: 'data/p1/' }
  const condition = (type: string) => ({ type, status: 'True' as const, reason: 'Any', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' })
  const took = (seconds: number) => ({ pods: 4, cpuSeconds: seconds, memoryGiBSeconds: seconds, seconds })
  const evaluation = (status: SWEBenchEvalStatus, spec: object = {}): SWEBenchEval => {
    const made = buildEvaluation(serving().generation, serving().resolved, settings, 'data/p1/')
    return { ...made, metadata: { ...made.metadata, uid: 'u-1' }, spec: { ...made.spec, ...spec }, status }
  }
  /** Ten minutes were served, and the tests took what the evaluation says. */
  const grading = (budget: Budget, found?: SWEBenchEval): Observed => {
    const status = { serving: { pods: [{ name: 'smith-prefs-serve-1', seconds: 600 }] }, cost: { ...took(0), seconds: 600, servingSeconds: 600 } }
    return serving({ spec: { budget }, status, generated, prepared, ...(found === undefined ? {} : { evaluation: found }) })
  }
  const running = evaluation({ state: 'Running', cost: took(300) })
  const heldBack = evaluation({ state: 'Suspended', cost: took(310) }, { suspend: true })

  it('do not begin where nothing is left', () => {
    expect([stateOf(grading({ maxDuration: '10m' })), written(grading({ maxDuration: '10m' }))]).toEqual(['BudgetExceeded', []])
    expect(stateOf(grading({ maxDuration: '10m1s' }))).toBe('Grading')
  })

  it('count together with the server, and are held where both have used it up', () => {
    const seen = grading({ maxDuration: '15m' }, running)
    expect([stateOf(seen), written(seen)]).toEqual(['BudgetExceeded', ['apply SWEBenchEval smith-grade']])
    expect(plan(seen).writes).toMatchObject([{ object: { spec: { suspend: true } } }])
    expect(saidOf(seen)).toBe('It has used 15m of 15m (spec.budget.maxDuration). Raise the limit, and it goes on with the samples and verdicts that are missing. SWEBenchEval smith-grade lets its running sandboxes finish; none starts.')
    expect(statusOf(seen).cost).toMatchObject({ seconds: 900, servingSeconds: 600, budgetUsedPercent: 100 })
    expect(stateOf(grading({ maxDuration: '16m' }, running))).toBe('Grading')
  })

  it('stay held once they are, and count what finished meanwhile', () => {
    const seen = grading({ maxDuration: '15m' }, heldBack)
    expect([stateOf(seen), written(seen)]).toEqual(['BudgetExceeded', []])
    expect(saidOf(seen)).toBe('It has used 15m10s of 15m (spec.budget.maxDuration). Raise the limit, and it goes on with the samples and verdicts that are missing.')
  })

  it('go on with the verdicts that are missing once it is raised', () => {
    const seen = grading({ maxDuration: '30m' }, heldBack)
    expect([stateOf(seen), written(seen)]).toEqual(['Grading', ['apply SWEBenchEval smith-grade']])
    expect(JSON.stringify(plan(seen).writes)).not.toContain('"suspend"')
  })

  it('make pairs where all of them were over before', () => {
    expect(stateOf(grading({ maxDuration: '15m' }, evaluation({ conditions: [condition('Complete')], cost: took(300) })))).toBe('Pairing')
  })

  it('still count when their evaluation is gone', () => {
    const status = statusOf(grading({ maxDuration: '1h' }, running))
    expect(statusOf(serving({ spec: { budget: { maxDuration: '15m' } }, status, generated, prepared }))).toMatchObject({ state: 'BudgetExceeded', cost: { seconds: 900 } })
  })

  it('leave an evaluation of another alone', () => {
    const { metadata: { ownerReferences: _, ...metadata }, ...other } = running
    const seen = grading({ maxDuration: '5m' }, { ...other, metadata })
    expect([stateOf(seen), written(seen)]).toEqual(['CannotGrade', []])
  })
})

describe('a plan with a budget', () => {
  const anything = fc.record({ limit: fc.integer({ min: 1, max: 1200 }), minutes: fc.integer({ min: 0, max: 30 }), isAsked: fc.boolean(), isThere: fc.boolean() })

  it('starts nothing that takes a node once it is spent, and keeps what is there until then', () => {
    fc.assert(fc.property(anything, ({ limit, minutes, isAsked, isThere }) => {
      const seen = serving({ model: tiny, spec: { budget: { maxDuration: `${limit}s` } }, server: isThere ? ready() : { pods: [] }, now: new Date(NOW.getTime() + (minutes - 10) * 60_000), ...(isAsked && isThere ? asking() : {}) })
      const [{ budgetUsedPercent = 0 }, writes] = [statusOf(seen).cost ?? {}, written(seen)]
      if (budgetUsedPercent >= 100) expect([stateOf(seen), writes.filter((write) => !write.startsWith('remove '))]).toEqual(['BudgetExceeded', []])
      if (stateOf(seen) !== 'BudgetExceeded') expect(writes.filter((write) => write.startsWith('remove '))).toEqual([])
    }))
  })

  it('comes to rest: what was held is held at another time too, with the same words', () => {
    fc.assert(fc.property(anything, ({ limit, minutes }) => {
      const first = serving({ spec: { budget: { maxDuration: `${limit}s` } }, server: ready(), now: new Date(NOW.getTime() + (minutes - 10) * 60_000) })
      if (stateOf(first) !== 'BudgetExceeded') return
      const later = (status: PreferenceGenStatus, hours: number) => statusOf(serving({ spec: { budget: { maxDuration: `${limit}s` } }, status, now: new Date(NOW.getTime() + hours * 3_600_000) }))
      const settled = later(statusOf(first), 1)
      expect(later(settled, 2)).toEqual(settled)
    }))
  })
})
