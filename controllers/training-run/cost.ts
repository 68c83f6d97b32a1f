import type { TrainingRunStatus } from '../../crds/training-run.ts'
import { usedPercentOf, type Spent } from '../shared/budget.ts'
import { millionths, toDecimal } from '../shared/decimal.ts'
import { attemptTable } from './attempt-table.ts'
import { currentRate, limitsOf } from './budget.ts'
import type { Observed } from './observed.ts'
import { newestProgress } from './progress.ts'
import { totalOf, withMore } from './spent.ts'

const LEAST_INTERVALS = 3 // the first step warms up, the second may be luck

/** What the run costs so far and, until it is over, is going to cost. */
export function describeCost(seen: Observed, when: 'Underway' | 'Over'): TrainingRunStatus['cost'] {
  if (attemptTable(seen).length === 0) return seen.run.status?.cost
  const spent = totalOf(seen)
  const estimate = when === 'Over' ? undefined : estimateOf(seen)
  const budgetUsedPercent = usedPercentOf(limitsOf(seen))
  return {
    seconds: spent.seconds,
    gpuSeconds: spent.gpuSeconds,
    ...(spent.money === undefined ? {} : { amount: toDecimal(spent.money), currency: seen.resolved.currency ?? seen.settings.currency }),
    ...(estimate === undefined ? {} : { estimatedSeconds: estimate.seconds }),
    ...(estimate?.money === undefined ? {} : { estimatedAmount: toDecimal(estimate.money) }),
    ...(budgetUsedPercent === undefined ? {} : { budgetUsedPercent }),
  }
}

/** What the whole run is going to use at the pace of its steps; between two attempts what was last estimated, or is already used. */
export function estimateOf(seen: Observed): Spent | undefined {
  const spent = totalOf(seen)
  const remaining = remainingSeconds(seen)
  if (remaining !== undefined) return withMore(spent, remaining, currentRate(seen))
  const { estimatedSeconds, estimatedAmount } = seen.run.status?.cost ?? {}
  if (estimatedSeconds === undefined) return undefined
  const money = estimatedAmount === undefined ? spent.money : larger(millionths(estimatedAmount), spent.money ?? 0n)
  return {
    seconds: Math.max(estimatedSeconds, spent.seconds),
    gpuSeconds: Math.max(estimatedSeconds * currentRate(seen).gpus, spent.gpuSeconds),
    ...(money === undefined ? {} : { money }),
  }
}

/** Undefined until enough steps were reported to tell the pace. */
function remainingSeconds(seen: Observed): number | undefined {
  const { number, state } = attemptTable(seen).at(-1) ?? {}
  const { attempt, etaSeconds } = newestProgress(seen) ?? {}
  return state === 'Running' && attempt === number && (seen.pace?.intervals ?? 0) >= LEAST_INTERVALS ? etaSeconds : undefined
}

function larger(one: bigint, other: bigint): bigint {
  return one > other ? one : other
}
