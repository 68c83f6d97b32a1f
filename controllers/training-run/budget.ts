// What spec.budget leaves: for the next attempt, and of the one that runs.
import type { TrainingRunSpec } from '../../crds/training-run.ts'
import { budgetSecondsOf } from '../shared/labels.ts'
import type { Attempt } from './children.ts'
import { millionths, toDecimal } from './decimal.ts'
import { durationSeconds, toDuration } from '../shared/duration.ts'
import { attemptTable, type Observed } from './observed.ts'
import { rateOf, secondsFor, type Rate } from './prices.ts'
import { newestProgress } from './progress.ts'
import { spentBeside, totalOf, type Spent } from './spent.ts'

type Budget = NonNullable<TrainingRunSpec['budget']>

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

const LEAST_SECONDS = 30 // less does not even load a model
const STOP_SLACK_SECONDS = 60 // a trainer counts from its own start, after its image was pulled
const MILLION = 1_000_000n
const SECONDS_MAX = 315_360_000 // ten years: a limit beyond them is none

/** The limits of the budget with what all attempts used, or with `spent`; those that nothing can reach are left out. */
export function limitsOf(seen: Observed, spent: Spent = totalOf(seen)): readonly Limit[] {
  const { maxCost, maxGPUHours, maxDuration } = seen.run.spec.budget ?? {}
  const rate = currentRate(seen)
  return [
    ...(maxCost === undefined ? [] : costLimit(maxCost, spent, { rate, currency: seen.settings.currency })),
    ...(maxGPUHours === undefined || rate.gpus === 0 ? [] : [gpuLimit(maxGPUHours, spent, rate)]),
    ...(maxDuration === undefined ? [] : [durationLimit(maxDuration, spent)]),
  ]
}

/** The limits that leave too little for another attempt. */
export function spentLimits(seen: Observed): readonly Limit[] {
  const least = LEAST_SECONDS + reserveOf(seen)
  return limitsOf(seen).filter(({ secondsLeft }) => secondsLeft < least)
}

/** A trainer keeps up to its grace period for the last checkpoint: what it left is spent, unless the budget was raised since. */
function reserveOf(seen: Observed): number {
  const { number = 0, reason } = attemptTable(seen).at(-1) ?? {}
  if (reason !== 'BudgetExceeded') return 0
  const job = seen.attempts.at(-1)?.job
  const told = job && budgetSecondsOf(job)
  const isRaised = told !== undefined && (secondsGranted(seen, number) ?? SECONDS_MAX) > told
  return isRaised ? 0 : seen.resolved.gracePeriodSeconds
}

/** Seconds that the budget leaves the attempt of this number, all others deducted; undefined where no limit binds. */
export function secondsGranted(seen: Observed, number: number): number | undefined {
  const left = limitsOf(seen, spentBeside(seen, number)).map(({ secondsLeft }) => secondsLeft)
  return left.length === 0 ? undefined : Math.min(...left)
}

/** Whether the attempt of this number, which runs, has had what the budget grants it. Its own trainer is to stop it, if it knows so. */
export function isOverBudget(seen: Observed, { number, job }: Attempt): boolean {
  const granted = secondsGranted(seen, number)
  if (granted === undefined || isTrained(seen, number)) return false
  const { seconds = 0, earlierPods } = attemptTable(seen).find((row) => row.number === number) ?? {}
  const told = job && budgetSecondsOf(job)
  const stopsItself = told !== undefined && told <= granted && earlierPods === undefined // each pod counts anew
  return seconds >= granted + (stopsItself ? seen.resolved.gracePeriodSeconds + STOP_SLACK_SECONDS : 0)
}

/** The last step is done: what is trained is paid for, and is not thrown away while its result is uploaded. */
function isTrained(seen: Observed, number: number): boolean {
  const { attempt, step = 0, totalSteps = Number.POSITIVE_INFINITY } = newestProgress(seen) ?? {}
  return attempt === number && step >= totalSteps
}

/** Of the pool that the newest attempt got, or will. */
export function currentRate(seen: Observed): Rate {
  return rateOf(seen, attemptTable(seen).at(-1)?.pool ?? seen.resolved.pool)
}

type Prices = Readonly<{ rate: Rate; currency: string }>

function costLimit(maxCost: string, { money }: Spent, { rate: { perHour }, currency }: Prices): readonly Limit[] {
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
