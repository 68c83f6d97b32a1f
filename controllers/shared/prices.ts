// What nodes cost for the time that pods have them.
import { divideRounded, millionths, toDecimal } from './decimal.ts'

const SECONDS_PER_HOUR = 3600n

/** What a pod takes, and what that costs. */
export type Rate = Readonly<{
  gpus: number
  /** GPUs and pod together for an hour, in millionths of the currency; undefined: there is no price. */
  perHour?: bigint
}>

/** As pools have them: decimal strings, in the currency of the installation. */
export type Prices = Readonly<{ pricePerGPUHour?: string | undefined; pricePerPodHour?: string | undefined }>

/** Of a pod with so many GPUs. */
export function rateFor(gpus: number, { pricePerGPUHour, pricePerPodHour }: Prices): Rate {
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
