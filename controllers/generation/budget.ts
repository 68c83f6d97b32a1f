// What spec.budget leaves: of serving and asking a model, and of the tests that follow.
import { LEAST_SECONDS, limitsIn, restOf, usedOf, usedPercentOf, withoutPrice, type Limit } from '../shared/budget.ts'
import { isToAsk, type Observed } from './observed.ts'
import type { HeldState } from './reasons.ts'
import { servingCost, servingRate, servingSpent, type ServingCost } from './serving/cost.ts'
import { isServed } from './serving/model.ts'
import { poolOf } from './serving/pool.ts'

/** Why nothing may start that takes a node. */
export type Held = Readonly<{ state: HeldState; message: string }>

/** Undefined while there is something left, or no limit. */
export function heldByBudget(seen: Observed): Held | undefined {
  const immeasurable = immeasurableBudget(seen)
  if (immeasurable !== undefined) return { state: 'InvalidBudget', message: immeasurable }
  const limits = spentLimits(seen)
  return limits.length === 0 ? undefined : { state: 'BudgetExceeded', message: overBudgetMessage(seen, limits) }
}

/** The limits of the budget with what is used of them; those that nothing can reach are left out. */
export function limitsOf(seen: Observed): readonly Limit[] {
  const { asker: { spec: { budget = {} } }, resolved, settings, testSeconds } = seen
  const served = servingSpent(seen)
  return limitsIn(budget, { ...served, seconds: served.seconds + testSeconds }, { rate: servingRate(seen), currency: resolved.currency ?? settings.currency })
}

type Spending = Partial<ServingCost> & Readonly<{ seconds: number; budgetUsedPercent?: number }>

/** Fields of status.cost: what serving took and tests beside it, and how much of the budget that is. */
export function describeSpent(seen: Observed): Spending {
  const served = servingCost(seen)
  const budgetUsedPercent = usedPercentOf(limitsOf(seen))
  return { seconds: seen.testSeconds + (served?.servingSeconds ?? 0), ...served, ...(budgetUsedPercent === undefined ? {} : { budgetUsedPercent }) }
}

/** Those that leave nothing, or too little for a server that is yet to start. */
function spentLimits(seen: Observed): readonly Limit[] {
  const isToStart = isToAsk(seen) && isServed(seen.asker) && seen.server.deployment === undefined
  return limitsOf(seen).filter(({ secondsLeft }) => secondsLeft < (isToStart ? LEAST_SECONDS : 1))
}

function overBudgetMessage(seen: Observed, limits: readonly Limit[]): string {
  const { generated, samples } = seen.asker.status?.generation ?? {}
  const where = isToAsk(seen) && generated !== undefined && samples !== undefined ? ` at ${generated} of ${samples} samples` : ''
  return `It has used ${usedOf(limits)}${where}${restOf(limits)}. Raise the limit, and it goes on with the samples and verdicts that are missing.`
}

/** A pool that nobody knows is told of where a server is to be had. */
function immeasurableBudget(seen: Observed): string | undefined {
  const { maxCost } = seen.asker.spec.budget ?? {}
  const pool = poolOf(seen.asker, seen.settings)
  if (maxCost === undefined || pool === undefined || servingRate(seen).perHour !== undefined) return undefined
  return withoutPrice(maxCost, `pool ${pool.name} has none`)
}
