// What spec.budget allows, against what is used: the same for every kind that has one.
import type { Budget } from '../../crds/budget.ts'
import { millionths, toDecimal } from './decimal.ts'
import { durationSeconds, toDuration } from './duration.ts'
import { secondsFor, type Rate } from './prices.ts'

/** Money in millionths of the currency; undefined where nothing has a price. */
export type Spent = Readonly<{ seconds: number; gpuSeconds: number; money?: bigint }>

/** One limit of a budget, measured. */
export type Limit = Readonly<{
  field: keyof Budget
  /** Such as `12.0340 of 12 USD`. */
  story: string
  /** Whole percent. */
  usedPercent: number
  isOverdrawn: boolean
  /** How long a pod at the present rate may still have its node. */
  secondsLeft: number
}>

export const LEAST_SECONDS = 30 // less does not even load a model
export const SECONDS_MAX = 315_360_000 // ten years: a limit beyond them is none

const MILLION = 1_000_000n

/** At which rate it goes on, and what money is called. */
export type Going = Readonly<{ rate: Rate; currency: string }>

/** The limits of a budget with what is used of them; those that nothing can reach are left out. */
export function limitsIn({ maxCost, maxGPUHours, maxDuration }: Budget, spent: Spent, going: Going): readonly Limit[] {
  return [
    ...(maxCost === undefined ? [] : costLimit(maxCost, spent, going)),
    ...(maxGPUHours === undefined || going.rate.gpus === 0 ? [] : [gpuLimit(maxGPUHours, spent, going.rate)]),
    ...(maxDuration === undefined ? [] : [durationLimit(maxDuration, spent)]),
  ]
}

/** Such as `12.0340 of 12 USD (spec.budget.maxCost) and 8h of 8h (spec.budget.maxDuration)`. */
export function usedOf(limits: readonly Limit[]): string {
  return limits.map(({ field, story }) => `${story} (spec.budget.${field})`).join(' and ')
}

/** Of limits that are spent: why what is left of them is not used. */
export function restOf(limits: readonly Limit[]): string {
  return limits.some(({ secondsLeft }) => secondsLeft > 0) ? '; what is left does not even load the model' : ''
}

/** What is said of a limit in money that nothing can measure; `missing` is where the price should be. */
export function withoutPrice(maxCost: string, missing: string): string {
  return `spec.budget.maxCost ${maxCost} needs a pool with a price, and ${missing}. Set its pricePerGPUHour or pricePerPodHour in the value pools of the operator's chart, or use spec.budget.maxDuration in place of maxCost.`
}

/** Of the limit that is nearest; undefined without one. */
export function usedPercentOf(limits: readonly Limit[]): number | undefined {
  return limits.length === 0 ? undefined : Math.max(...limits.map(({ usedPercent }) => usedPercent))
}

function costLimit(maxCost: string, { money }: Spent, { rate: { perHour }, currency }: Going): readonly Limit[] {
  if (money === undefined && perHour === undefined) return []
  const used = money ?? 0n
  const limit = millionths(maxCost)
  const secondsLeft = perHour === undefined || perHour === 0n ? SECONDS_MAX : secondsFor(left(used, limit), perHour)
  return [{ field: 'maxCost', story: `${toDecimal(used)} of ${maxCost} ${currency}`, ...measure(used, limit), secondsLeft: bounded(secondsLeft) }]
}

function gpuLimit(maxGPUHours: string, { gpuSeconds }: Spent, { gpus }: Rate): Limit {
  const used = BigInt(gpuSeconds) * MILLION
  const limit = millionths(maxGPUHours) * 3600n
  const secondsLeft = Number(left(used, limit) / (MILLION * BigInt(gpus)))
  return { field: 'maxGPUHours', story: `${(gpuSeconds / 3600).toFixed(2)} of ${maxGPUHours} GPU-hours`, ...measure(used, limit), secondsLeft: bounded(secondsLeft) }
}

function durationLimit(maxDuration: string, { seconds }: Spent): Limit {
  const used = BigInt(seconds)
  const limit = BigInt(durationSeconds(maxDuration))
  return { field: 'maxDuration', story: `${toDuration(seconds)} of ${maxDuration}`, ...measure(used, limit), secondsLeft: bounded(Number(left(used, limit))) }
}

function measure(used: bigint, limit: bigint): Pick<Limit, 'usedPercent' | 'isOverdrawn'> {
  return { usedPercent: limit === 0n ? 100 : bounded(Number((100n * used) / limit)), isOverdrawn: used > limit }
}

function left(used: bigint, limit: bigint): bigint {
  return used < limit ? limit - used : 0n
}

function bounded(value: number): number {
  return Math.min(value, SECONDS_MAX)
}
