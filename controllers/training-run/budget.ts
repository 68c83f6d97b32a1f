// What spec.budget leaves: for the next attempt, and of the one that runs.
import { LEAST_SECONDS, limitsIn, SECONDS_MAX, type Limit, type Spent } from '../shared/budget.ts'
import { budgetSecondsOf } from '../shared/labels.ts'
import type { Rate } from '../shared/prices.ts'
import { attemptTable } from './attempt-table.ts'
import type { Attempt } from './children.ts'
import type { Observed } from './observed.ts'
import { rateOf } from './prices.ts'
import { newestProgress } from './progress.ts'
import { spentBeside, totalOf } from './spent.ts'

const STOP_SLACK_SECONDS = 60 // a trainer counts from its own start, after its image was pulled

/** The limits of the budget with what all attempts used, or with `spent`; those that nothing can reach are left out. */
export function limitsOf(seen: Observed, spent: Spent = totalOf(seen)): readonly Limit[] {
  return limitsIn(seen.run.spec.budget ?? {}, spent, { rate: currentRate(seen), currency: seen.settings.currency })
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
