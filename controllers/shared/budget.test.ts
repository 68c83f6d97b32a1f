import { describe, expect, it } from 'vitest'
import type { Budget } from '../../crds/budget.ts'
import { limitsIn, restOf, usedOf, usedPercentOf, type Spent } from './budget.ts'
import { rateFor } from './prices.ts'

const going = { rate: rateFor(2, { pricePerGPUHour: '1.8' }), currency: 'USD' } // 0.001 a second
const spent: Spent = { seconds: 900, gpuSeconds: 1800, money: 900_000n }

describe('the limits of a budget', () => {
  it.each<readonly [Budget, number, number, string]>([
    [{ maxCost: '3.6' }, 2700, 25, '0.9000 of 3.6 USD (spec.budget.maxCost)'],
    [{ maxGPUHours: '2' }, 2700, 25, '0.50 of 2 GPU-hours (spec.budget.maxGPUHours)'],
    [{ maxDuration: '1h' }, 2700, 25, '15m of 1h (spec.budget.maxDuration)'],
    [{ maxCost: '0.9' }, 0, 100, '0.9000 of 0.9 USD (spec.budget.maxCost)'],
    [{ maxDuration: '10m' }, 0, 150, '15m of 10m (spec.budget.maxDuration)'],
  ])('tell what is used and for how long it still lasts: %j', (budget, secondsLeft, usedPercent, story) => {
    const limits = limitsIn(budget, spent, going)
    expect(limits).toMatchObject([{ secondsLeft, usedPercent, isOverdrawn: usedPercent > 100 }])
    expect(usedOf(limits)).toBe(story)
  })

  it('are left out where nothing can reach them', () => {
    const budget = { maxCost: '1', maxGPUHours: '1', maxDuration: '1h' }
    expect(limitsIn(budget, { seconds: 0, gpuSeconds: 0 }, { ...going, rate: { gpus: 0 } }).map(({ field }) => field)).toEqual(['maxDuration'])
    expect([limitsIn({}, spent, going), usedPercentOf([])]).toEqual([[], undefined])
  })

  it('are used as far as the nearest of them', () => {
    const limits = limitsIn({ maxCost: '1.8', maxDuration: '1h' }, spent, going)
    expect([usedPercentOf(limits), usedOf(limits)]).toEqual([50, '0.9000 of 1.8 USD (spec.budget.maxCost) and 15m of 1h (spec.budget.maxDuration)'])
  })

  it('say why what is left of them is not used', () => {
    expect([restOf(limitsIn({ maxDuration: '910s' }, spent, going)), restOf(limitsIn({ maxDuration: '900s' }, spent, going))]).toEqual(['; what is left does not even load the model', ''])
  })
})
