import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TrainingRunSpec, TrainingRunStatus } from '../../crds/training-run.ts'
import { toSeconds } from '../../operator/meta/time.ts'
import { ended, outcome } from '../../test/world/planned.ts'
import { a100, afterNoon, anObservation, aPricedObservation, aRecord, completed, preempted, settings } from '../../test/world/training-run.ts'
import { millionths } from '../shared/decimal.ts'
import { plan } from './plan.ts'
import { priceOf } from '../shared/prices.ts'

const running = { kind: 'Running' } as const
const PATIENCE = { timeout: 60_000 } // hundreds of plans, on a machine that may be busy with other things
const statusOf = (seen: Parameters<typeof plan>[0]) => plan(seen).status as TrainingRunStatus
const report = (step: number, seconds: number, etaSeconds: number) =>
  ({ attempt: 1, step, totalSteps: 60, percent: step, etaSeconds, updatedTime: toSeconds(afterNoon(seconds)) })

describe('the price of an attempt', () => {
  it('is GPUs and pod for each second, exactly', () => {
    expect(priceOf(3600, millionths('29.28'))).toBe('29.2800')
    expect(priceOf(1, millionths('3.6'))).toBe('0.0010')
    expect(priceOf(100_000_000, millionths('0.1'))).toBe('2777.7778')
  })

  it('stands in its row, at the prices of the first look', () => {
    const seen = aPricedObservation({ compute: { pool: 'a100', gpusPerNode: 2 } }).withData().attempt(1, running).later(600)
    expect(statusOf(seen)).toMatchObject({
      attempts: [{ seconds: 600, gpuSeconds: 1200, cost: '1.1400', pool: 'a100', perDevice: 1 }],
      cost: { seconds: 600, gpuSeconds: 1200, amount: '1.1400', currency: 'USD' },
    })
    const dearer = { ...settings, pools: [{ ...a100, pricePerGPUHour: '99' }] }
    expect(statusOf(seen.with({ settings: dearer }))).toMatchObject({ cost: { amount: '1.1400' } })
  })

  it('is that of the pool whose node a queue chose', () => {
    const seen = aPricedObservation().withData().attempt(1, running).later(600)
    const elsewhere = seen.with({ settings: { ...settings, pools: [a100, { ...a100, name: 'spot', pricePerGPUHour: '1.08' }] }, attempts: seen.attempts.map((attempt) => ({ ...attempt, pool: 'spot' })) })
    expect(statusOf(elsewhere)).toMatchObject({ attempts: [{ cost: '0.2400', pool: 'spot' }] })
  })

  it('is absent where there is none', () => {
    const status = statusOf(anObservation().withData().attempt(1, running).later(600))
    expect(status.cost).toEqual({ seconds: 600, gpuSeconds: 0 })
    expect(status.attempts?.[0]).not.toHaveProperty('cost')
  })

  it('is absent before the first attempt', () => {
    expect(statusOf(aPricedObservation().withData())).not.toHaveProperty('cost')
  })
})

describe('the cost of a run', () => {
  it('is that of all its attempts, and is final when it completes', () => {
    const first = aRecord(1, 'Preempted', { lastStep: 35, seconds: 100, gpuSeconds: 100, cost: '0.1000' })
    const last = { ...ended(completed(2, 35)), afterSeconds: 60 }
    const seen = aPricedObservation().withData().recorded(first).attempt(2, last, aRecord(2, 'Running')).inState('Running', { cost: { seconds: 100, gpuSeconds: 100, amount: '0.1000', currency: 'USD', estimatedSeconds: 900, estimatedAmount: '0.9000' } })
    expect(statusOf(seen).cost).toEqual({ seconds: 160, gpuSeconds: 160, amount: '0.1600', currency: 'USD' })
    expect(outcome(seen).message).toMatch(/^Trained 60 steps in 2 attempts, loss 2.31 → 1.02, for 0.1600 USD; 1 artifact/)
  })

  it('never shrinks, and is what the rows add up to, however many have fallen off the table', PATIENCE, () => {
    fc.assert(fc.property(fc.array(fc.nat(5000), { minLength: 22, maxLength: 30, size: 'max' }), (durations) => {
      let seen = aPricedObservation().withData()
      let sum = 0n
      for (const [index, afterSeconds] of durations.entries()) {
        const ending = { ...ended(preempted(index + 1, { from: index, to: index + 1 })), afterSeconds }
        seen = seen.attempt(index + 1, ending)
        const status = statusOf(seen)
        sum += millionths(priceOf(afterSeconds, millionths('3.6')))
        expect(status.attempts?.length).toBeLessThanOrEqual(20)
        expect(millionths(status.cost?.amount ?? '')).toBe(sum)
        const { attempts: rows = [] } = status
        seen = seen.inState('Retrying', status).with({ attempts: rows.map((record) => ({ number: record.number, pods: [], record })) })
        expect(statusOf(seen).cost).toEqual(status.cost)
      }
    }), { numRuns: 10 })
  })

  it('is not written anew while an attempt has nothing to say', () => {
    const seen = aPricedObservation().withData().attempt(1, running).with({ progress: report(5, 30, 500) }).later(31)
    const shown = seen.inState('Running', statusOf(seen))
    expect(statusOf(shown.later(20))).toEqual(statusOf(shown))
    expect(statusOf(shown.later(60)).cost?.seconds).toBe(90)
  })
})

describe('what the whole run is going to cost', () => {
  const pace = (intervals: number) => ({ attempt: 1, secondsPerStep: 10, intervals })
  const seen = aPricedObservation().withData().attempt(1, running).with({ progress: report(10, 100, 500) }).later(100)

  it('is told once three intervals are known', () => {
    expect(statusOf(seen.with({ pace: pace(2) })).cost).not.toHaveProperty('estimatedAmount')
    expect(statusOf(seen.with({ pace: pace(3) })).cost).toMatchObject({ amount: '0.1000', estimatedSeconds: 600, estimatedAmount: '0.6000' })
  })

  it('stays through a restart of the operator and a preemption, and is never less than what is used', () => {
    const before = statusOf(seen.with({ pace: pace(3) }))
    const { progress: _, ...silent } = seen.inState('Running', before)
    expect(statusOf(silent)).toMatchObject({ cost: { estimatedAmount: '0.6000' } })
    expect(statusOf({ ...silent, now: afterNoon(1300) })).toMatchObject({ cost: { estimatedAmount: '1.3000', estimatedSeconds: 1300 } })
  })
})

describe('the used share of the budget', () => {
  it.each<readonly [string, TrainingRunSpec['budget'], number]>([
    ['money', { maxCost: '2' }, 30],
    ['GPU-hours', { maxGPUHours: '0.25' }, 66],
    ['time', { maxDuration: '20m' }, 50],
    ['the nearest of all three', { maxCost: '2', maxGPUHours: '0.25', maxDuration: '20m' }, 66],
    ['money that is gone', { maxCost: '0.5' }, 120],
  ])('is shown: %s', (_what, budget, percent) => {
    expect(statusOf(aPricedObservation({ budget }).withData().attempt(1, running).later(600)).cost?.budgetUsedPercent).toBe(percent)
  })
})
