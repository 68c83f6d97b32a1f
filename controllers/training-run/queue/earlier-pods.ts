// What an attempt's row tells of pods that its queue took away: written down first, for then nothing is left of them.
import { programState, takenAway } from '../../jobs/children.ts'
import { podSeconds } from '../../jobs/pod-seconds.ts'
import type { TrainingRunAttempt } from '../../../crds/training-run.ts'
import { toSeconds } from '../../../operator/meta/time.ts'
import { millionths, toDecimal } from '../../shared/decimal.ts'
import type { Pod } from '../../shared/kinds.ts'
import { priceOf } from '../../shared/prices.ts'
import { type Attempt } from '../children.ts'
import type { Observed } from '../observed.ts'
import { rateOf } from '../prices.ts'
import { lastReportedStep } from '../progress.ts'
import { readTrainVerdict, type TrainVerdict } from '../verdicts.ts'

export type EarlierPod = NonNullable<TrainingRunAttempt['earlierPods']>[number]

const PODS_SHOWN = 20 // the bound of the CRD

/** Those written down and those that ended since; of more than twenty the oldest are told as one. */
export function earlierPodsOf(seen: Observed, attempt: Attempt): readonly EarlierPod[] {
  const known = attempt.record?.earlierPods ?? []
  const added = takenAway(attempt).filter((pod) => !isTold(attempt, pod)).map((pod) => describe(seen, attempt, pod))
  const isThere = ({ name }: EarlierPod): boolean => attempt.pods.some(({ metadata }) => metadata.name === name)
  return [...shortened(known, PODS_SHOWN - added.length, isThere), ...added].slice(0, PODS_SHOWN)
}

/** Pods that a queue took away and the status, as read back, tells of: nobody needs them any more. */
export function toldPods(attempt: Attempt): readonly Pod[] {
  return takenAway(attempt).filter((pod) => isTold(attempt, pod))
}

/** The last word of the pod that was taken away last. */
export function interruptedVerdict(attempt: Attempt): TrainVerdict | undefined {
  return verdictOf(takenAway(attempt).at(-1))
}

/** Their whole seconds and what they cost; a pool may have no price. */
export function sumOf(pods: readonly EarlierPod[]): Readonly<{ seconds: number; money: bigint }> {
  return {
    seconds: pods.reduce((sum, { seconds }) => sum + seconds, 0),
    money: pods.reduce((sum, { cost = '0' }) => sum + millionths(cost), 0n),
  }
}

function isTold({ record }: Attempt, { metadata }: Pod): boolean {
  return record?.earlierPods?.some(({ name }) => name === metadata.name) ?? false
}

function describe(seen: Observed, attempt: Attempt, pod: Pod): EarlierPod {
  const { record, job } = attempt
  const node = pod.spec?.nodeName
  const pool = (record?.node === node ? record?.pool : undefined) ?? seen.resolved.pool
  const verdict = verdictOf(pod)
  const seconds = podSeconds(pod, job, { now: seen.now })
  const { perHour } = rateOf(seen, pool)
  const lastStep = verdict?.lastStep ?? (record?.pod === pod.metadata.name ? lastReportedStep(seen, attempt.number) : undefined)
  return {
    name: pod.metadata.name,
    ...(node === undefined ? {} : { node }),
    ...(pool === undefined ? {} : { pool }),
    finishedTime: programState(pod)?.terminated?.finishedAt ?? toSeconds(seen.now),
    seconds,
    ...(perHour === undefined ? {} : { cost: priceOf(seconds, perHour) }),
    ...(verdict?.fromStep === undefined ? {} : { fromStep: verdict.fromStep }),
    ...(lastStep === undefined ? {} : { lastStep }),
  }
}

function verdictOf(pod: Pod | undefined): TrainVerdict | undefined {
  return readTrainVerdict(programState(pod)?.terminated?.message).verdict
}

/** A pod that is still there keeps its own line: that is what it is released by. */
function shortened(pods: readonly EarlierPod[], most: number, isThere: (pod: EarlierPod) => boolean): readonly EarlierPod[] {
  const [oldest, next, ...rest] = pods
  if (pods.length <= most || oldest === undefined || next === undefined || isThere(oldest) || isThere(next)) return pods
  const { seconds, money } = sumOf([oldest, next])
  const joined = { ...next, seconds, ...(next.cost === undefined ? {} : { cost: toDecimal(money) }), ...(oldest.fromStep === undefined ? {} : { fromStep: oldest.fromStep }) }
  return shortened([joined, ...rest], most, isThere)
}
