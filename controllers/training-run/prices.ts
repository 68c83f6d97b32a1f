import { divideRounded, millionths, toDecimal } from './decimal.ts'
import type { Observed } from './observed.ts'

const SECONDS_PER_HOUR = 3600n

/** What an attempt takes from its pool, and what that costs. */
export type Rate = Readonly<{
  gpus: number
  /** GPUs and pod together for an hour, in millionths of the currency; undefined: the pool has no price. */
  perHour?: bigint
}>

/** The prices frozen in the status; where a queue chose another pool, those of that pool. */
export function rateOf({ resolved, settings }: Pick<Observed, 'resolved' | 'settings'>, poolName: string | undefined): Rate {
  const other = poolName === resolved.pool ? undefined : settings.pools.find(({ name }) => name === poolName)
  const { pricePerGPUHour, pricePerPodHour } = other ?? resolved
  const gpus = resolved.gpusPerNode
  if (pricePerGPUHour === undefined && pricePerPodHour === undefined) return { gpus }
  return { gpus, perHour: BigInt(gpus) * millionths(pricePerGPUHour ?? '0') + millionths(pricePerPodHour ?? '0') }
}

/** What so many seconds cost, as a decimal. Sums are made of these figures, so that a column adds up to its total. */
export function priceOf(seconds: number, perHour: bigint): string {
  return toDecimal(divideRounded(BigInt(seconds) * perHour, SECONDS_PER_HOUR))
}

/** How many whole seconds so much money buys. */
export function secondsFor(money: bigint, perHour: bigint): number {
  return Number((money * SECONDS_PER_HOUR) / perHour)
}
