// For how long pods had a node to serve the model, which is what is paid for.
import type { ServingStatus } from '../../../crds/generation-status.ts'
import type { Verdict } from '../../../operator/control/plan.ts'
import { podSeconds } from '../../jobs/pod-seconds.ts'
import type { Asker } from '../asker.ts'
import type { Observed } from '../observed.ts'
import { engines } from './engines.ts'
import type { Server } from './server.ts'

export type ServingCost = Readonly<{ servingSeconds: number; servingGPUSeconds?: number }>

type ServingPod = NonNullable<ServingStatus['pods']>[number]

const PODS_SHOWN = 8 // the bound of the CRD
const REFRESH_SECONDS = 60 // as often as what lives is measured

/** The newest that are known of, those that are gone as they were last seen. Never fewer seconds than were written down before. */
export function servingPods({ asker: { status }, server, now }: Observed): readonly ServingPod[] {
  return allPods({ status, server, now }).slice(-PODS_SHOWN)
}

/** Seconds of all pods, and where they have GPUs of these; undefined where none served. */
export function servingCost(seen: Observed): ServingCost | undefined {
  const { servingEngine, servingGPUs } = seen.resolved
  const seconds = servingSeconds(seen)
  if (seconds === undefined) return undefined
  return { servingSeconds: seconds, ...(engines[servingEngine].runsOn === 'GPU' ? { servingGPUSeconds: seconds * servingGPUs } : {}) }
}

/** Of pods too that the status no longer shows: it tells of them in its total alone. */
function servingSeconds({ asker: { status }, server, now }: Observed): number | undefined {
  const told = status?.cost?.servingSeconds
  const pods = allPods({ status, server, now })
  if (told === undefined && pods.length === 0) return undefined
  return Math.max(0, (told ?? 0) - sumOf(status?.serving?.pods ?? [])) + sumOf(pods)
}

/** What a pod costs that serves is written down while it does, and not only once it is gone. */
export function nextLook({ pods }: Server, { again }: Pick<Verdict, 'again'>): number | undefined {
  return pods.length === 0 ? again : Math.min(again ?? REFRESH_SECONDS, REFRESH_SECONDS)
}

type Known = Readonly<{ status: Asker['status'] } & Pick<Observed, 'server' | 'now'>>

function allPods({ status, server, now }: Known): readonly ServingPod[] {
  const before = status?.serving?.pods ?? []
  const present = server.pods.map((pod) => ({ name: pod.metadata.name, seconds: podSeconds(pod, undefined, { now }) })).filter(({ seconds }) => seconds > 0)
  const known = before.map(({ name, seconds }) => ({ name, seconds: Math.max(seconds, present.find((pod) => pod.name === name)?.seconds ?? 0) }))
  const isThere = ({ name }: ServingPod): boolean => present.some((pod) => pod.name === name)
  // Those that are there come last, and stay shown: of what goes on counting the next look must know what was counted.
  return [...known.filter((pod) => !isThere(pod)), ...known.filter(isThere), ...present.filter(({ name }) => !before.some((pod) => pod.name === name))]
}

function sumOf(pods: readonly ServingPod[]): number {
  return pods.reduce((sum, { seconds }) => sum + seconds, 0)
}
