// What attempts used of nodes, GPUs and money.
import type { TrainingRunAttempt } from '../../crds/training-run.ts'
import type { Spent } from '../shared/budget.ts'
import { millionths } from '../shared/decimal.ts'
import { priceOf, type Rate } from '../shared/prices.ts'
import { attemptsToTell } from './attempt-table.ts'
import type { Observed } from './observed.ts'

const NOTHING: Spent = { seconds: 0, gpuSeconds: 0 }

/** What all attempts used, those included that the table no longer shows: the status tells of them in its total alone. */
export function totalOf(seen: Observed): Spent {
  return sumOf([fallenOff(seen), ...attemptsToTell(seen).map(spentBy)])
}

/** What all attempts but that of this number used. */
export function spentBeside(seen: Observed, number: number): Spent {
  return sumOf([fallenOff(seen), ...attemptsToTell(seen).filter((row) => row.number !== number).map(spentBy)])
}

/** As if an attempt at this rate had gone on for so many seconds more. */
export function withMore(spent: Spent, seconds: number, { gpus, perHour }: Rate): Spent {
  const money = perHour === undefined ? undefined : millionths(priceOf(seconds, perHour))
  return sumOf([spent, { seconds, gpuSeconds: seconds * gpus, ...(money === undefined ? {} : { money }) }])
}

/** The total that the status shows without the rows that it shows beside it: both were written at once. */
function fallenOff({ run }: Observed): Spent {
  const { cost, attempts = [] } = run.status ?? {}
  if (cost === undefined) return NOTHING
  const shown = sumOf(attempts.map(spentBy))
  const money = cost.amount === undefined ? undefined : atLeast(0n, millionths(cost.amount) - (shown.money ?? 0n))
  return {
    seconds: Math.max(0, cost.seconds - shown.seconds),
    gpuSeconds: Math.max(0, cost.gpuSeconds - shown.gpuSeconds),
    ...(money === undefined ? {} : { money }),
  }
}

function spentBy({ seconds = 0, gpuSeconds = 0, cost }: TrainingRunAttempt): Spent {
  return { seconds, gpuSeconds, ...(cost === undefined ? {} : { money: millionths(cost) }) }
}

function sumOf(parts: readonly Spent[]): Spent {
  const moneys = parts.flatMap(({ money }) => (money === undefined ? [] : [money]))
  return {
    seconds: parts.reduce((sum, { seconds }) => sum + seconds, 0),
    gpuSeconds: parts.reduce((sum, { gpuSeconds }) => sum + gpuSeconds, 0),
    ...(moneys.length === 0 ? {} : { money: moneys.reduce((sum, money) => sum + money, 0n) }),
  }
}

function atLeast(least: bigint, value: bigint): bigint {
  return value < least ? least : value
}
