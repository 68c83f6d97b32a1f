// For how long pods had a node to serve the model, which is what is paid for.
import type { ServingStatus } from '../../../crds/generation-status.ts'
import type { Verdict } from '../../../operator/control/plan.ts'
import { podSeconds } from '../../jobs/pod-seconds.ts'
import { limitsIn, type Spent } from '../../shared/budget.ts'
import { millionths, toDecimal } from '../../shared/decimal.ts'
import type { Pod } from '../../shared/kinds.ts'
import { priceOf, rateFor, type Rate } from '../../shared/prices.ts'
import { bytesOf, coresOf } from '../../shared/quantity.ts'
import { isToAsk, type Observed } from '../observed.ts'
import { GRACE_SECONDS } from '../resources/server.ts'
import { engines } from './engines.ts'

export type ServingCost = Readonly<{ servingSeconds: number; servingCpuSeconds: number; servingMemoryGiBSeconds: number; servingGPUSeconds?: number; amount?: string; currency?: string }>

type ServingPod = NonNullable<ServingStatus['pods']>[number]

const PODS_SHOWN = 8 // the bound of the CRD
const REFRESH_SECONDS = 60
const PARTS_OF_BUDGET = 20
const GIB = 1024 ** 3

/** The newest that are known of, those that are gone as they were last seen. Never fewer seconds than were written down before. */
export function servingPods(seen: Observed): readonly ServingPod[] {
  return allPods(seen).slice(-PODS_SHOWN)
}

/** What all pods together took, and where their pool has a price what that is in money; undefined where none served. */
export function servingCost(seen: Observed): ServingCost | undefined {
  const { servingCpu, servingMemory, currency } = seen.resolved
  const servingSeconds = secondsServed(seen)
  if (servingSeconds === undefined) return undefined
  const { gpuSeconds, money } = servingSpent(seen)
  return {
    servingSeconds,
    servingCpuSeconds: Math.round(servingSeconds * coresOf(servingCpu)),
    servingMemoryGiBSeconds: Math.round((servingSeconds * bytesOf(servingMemory)) / GIB),
    ...(servingRate(seen).gpus === 0 ? {} : { servingGPUSeconds: gpuSeconds }),
    ...(money === undefined || currency === undefined ? {} : { amount: toDecimal(money), currency }),
  }
}

/** The same as a budget counts it. */
export function servingSpent(seen: Observed): Spent {
  const { gpus, perHour } = servingRate(seen)
  const seconds = secondsServed(seen) ?? 0
  return { seconds, gpuSeconds: seconds * gpus, ...(perHour === undefined ? {} : { money: millionths(priceOf(seconds, perHour)) }) }
}

/** Of one pod, at the prices frozen in the status. */
export function servingRate({ resolved: { servingEngine, servingGPUs, servingPricePerGPUHour, servingPricePerPodHour } }: Pick<Observed, 'resolved'>): Rate {
  const gpus = engines[servingEngine].runsOn === 'GPU' ? servingGPUs : 0
  return rateFor(gpus, { pricePerGPUHour: servingPricePerGPUHour, pricePerPodHour: servingPricePerPodHour })
}

/** Of pods too that the status no longer shows: it tells of them in its total alone. */
function secondsServed(seen: Observed): number | undefined {
  const { status } = seen.asker
  const told = status?.cost?.servingSeconds
  const pods = allPods(seen)
  if (told === undefined && pods.length === 0) return undefined
  return Math.max(0, (told ?? 0) - sumOf(status?.serving?.pods ?? [])) + sumOf(pods)
}

/** What a pod costs that serves is written down while it does, and not only once it is gone. */
export function nextLook(seen: Observed, { again }: Pick<Verdict, 'again'>): number | undefined {
  const step = stepSeconds(seen)
  return seen.server.pods.length === 0 ? again : Math.min(again ?? step, step)
}

/** Each figure is a write. A budget is overdrawn by no more than a part of it, or by a minute, before anybody looks. */
function stepSeconds({ asker: { spec: { budget = {} } }, resolved }: Observed): number {
  const limits = limitsIn(budget, { seconds: 0, gpuSeconds: 0 }, { rate: servingRate({ resolved }), currency: '' })
  const part = Math.floor(Math.min(...limits.map(({ secondsLeft }) => secondsLeft)) / PARTS_OF_BUDGET / resolved.servingReplicas)
  return Math.min(REFRESH_SECONDS, Math.max(1, part))
}

function allPods(seen: Observed): readonly ServingPod[] {
  const { asker: { status }, server, now } = seen
  const before = status?.serving?.pods ?? []
  const clock = { now, stepSeconds: isToAsk(seen) ? stepSeconds(seen) : 1 } // once the last sample is in, each look may be the last that is written down
  const present = server.pods.map((pod) => ({ name: pod.metadata.name, seconds: podSeconds(pod, undefined, { ...clock, reportedTime: askedToEnd(pod) }) })).filter(({ seconds }) => seconds > 0)
  const known = before.map(({ name, seconds }) => ({ name, seconds: Math.max(seconds, present.find((pod) => pod.name === name)?.seconds ?? 0) }))
  const isThere = ({ name }: ServingPod): boolean => present.some((pod) => pod.name === name)
  // Those that are there come last, and stay shown: of what goes on counting the next look must know what was counted.
  return [...known.filter((pod) => !isThere(pod)), ...known.filter(isThere), ...present.filter(({ name }) => !before.some((pod) => pod.name === name))]
}

/** One that goes is measured exactly then: it may be gone before anybody sees its end. Its deletion is dated with the end of its grace. */
function askedToEnd({ metadata: { deletionTimestamp } }: Pod): string | undefined {
  return deletionTimestamp === undefined ? undefined : new Date(Date.parse(deletionTimestamp) - GRACE_SECONDS * 1000).toISOString()
}

function sumOf(pods: readonly ServingPod[]): number {
  return pods.reduce((sum, { seconds }) => sum + seconds, 0)
}
