// Whose fault it was: what the end of a sandbox says about its prediction, and what only about the cluster.
import type { Judgement, Unit } from '../../operator/fan-out/task.ts'
import { isTerminal, podCondition, type ContainerStatus, type Pod } from '../shared/kinds.ts'
import { backoffSeconds } from '../jobs/backoff.ts'
import { isMissingImage } from './image-pull.ts'
import { endings, isCode, rowOf, type Code } from './rows.ts'
import { followUp, type LooksWanted } from './second-looks.ts'
import { readGradeVerdict, type GradeVerdict } from './verdicts.ts'

export const GRADE = 'grade'
export const TEST = 'test'

/** What the judgement of a try depends on beside its pod. */
export type Bench = LooksWanted & Readonly<{
  now: Date
  infrastructureRetries: number
  pullTimeoutSeconds: number
}>

/** Undefined while the sandbox may still come to a verdict by itself. */
export function judge(unit: Unit, pod: Pod, bench: Bench): Judgement | undefined {
  const grade = stateOf(pod, GRADE)?.terminated
  const { verdict } = readGradeVerdict(grade?.message)
  if (verdict !== undefined) return followUp(ofVerdict(unit, verdict, pod, bench), verdict, bench)
  const code = evidence(pod, bench)
  return code === undefined ? undefined : followUp(settle(unit, code, secondsOf(pod, bench.now), bench), undefined, bench)
}

/** What the store's copy of a verdict says where the pod is gone. */
export function judgeStored(unit: Unit, verdict: GradeVerdict | undefined, bench: Bench): Judgement {
  return followUp(verdict === undefined ? settle(unit, 'i', 0, bench) : ofVerdict(unit, verdict, undefined, bench), verdict, bench)
}

function ofVerdict(unit: Unit, verdict: GradeVerdict, pod: Pod | undefined, bench: Bench): Judgement {
  const seconds = verdict.testSeconds ?? 0
  // The kernel may kill one child alone: the tests go on without it, and the kubelet still says so.
  const isKilled = pod !== undefined && stateOf(pod, TEST)?.terminated?.reason === 'OOMKilled'
  if (isKilled && verdict.outcome === 'Unresolved') return chance(unit, ['m', 'O'], seconds, bench)
  if (isKilled && verdict.outcome === 'Error') return chance(unit, ['m', 'M'], seconds, bench)
  return settle(unit, codeOf(verdict), seconds, bench)
}

function codeOf({ outcome, reason }: GradeVerdict): Code {
  if (outcome === 'Resolved') return 'R'
  if (outcome === 'Unresolved') return 'U'
  if (outcome === 'NotGraded') return 'i'
  const known = Object.entries(endings).find(([code, ending]) => ending.final && ending.state === outcome && ending.reason === reason && isCode(code))
  return known !== undefined && isCode(known[0]) ? known[0] : 'E'
}

/** A pod without a verdict that is over, or that will never start. */
function evidence(pod: Pod, { now, pullTimeoutSeconds }: Bench): Code | undefined {
  if (exceededOwnDisk(pod)) return 'd'
  if (isTerminal(pod) || stateOf(pod, GRADE)?.terminated !== undefined) return stateOf(pod, TEST)?.terminated?.reason === 'OOMKilled' ? 'm' : 'i'
  if (NEVER_RAN.has(stateOf(pod, TEST)?.terminated?.reason ?? '')) return 'i'
  const waiting = stateOf(pod, TEST)?.waiting
  if (isMissingImage(waiting)) return 'N'
  const isPulling = stateOf(pod, TEST)?.running === undefined && stateOf(pod, TEST)?.terminated === undefined
  return isPulling && secondsSince(podCondition(pod, 'PodScheduled'), now) > pullTimeoutSeconds ? 'i' : undefined
}

// Such as an image without bash: nobody will ever connect to the grading container.
const NEVER_RAN = new Set(['StartError', 'ContainerCannotRun'])

type State = NonNullable<ContainerStatus['state']>

/** Undefined before the kubelet has said anything of it. */
export function stateOf(pod: Pod, container: string): State | undefined {
  return pod.status?.containerStatuses?.find(({ name }) => name === container)?.state
}

/** The kubelet evicts for the node's disk, and for what a container of the pod wrote beyond its own limit: the latter is the patch's. */
function exceededOwnDisk({ status }: Pod): boolean {
  return status?.reason === 'Evicted' && /Container test exceeded its local ephemeral storage limit|Pod ephemeral local storage usage exceeds/.test(status.message ?? '')
}

function secondsSince(condition: Readonly<{ status: string; lastTransitionTime?: string }> | undefined, now: Date): number {
  if (condition?.status !== 'True' || condition.lastTransitionTime === undefined) return 0 // not scheduled: nobody pulls anything yet
  return (now.getTime() - Date.parse(condition.lastTransitionTime)) / 1000
}

/** From the start of the tests to the end of the pod, as the kubelet saw it. */
function secondsOf(pod: Pod, now: Date): number {
  const test = stateOf(pod, TEST)
  const startedAt = test?.terminated?.startedAt ?? test?.running?.startedAt
  if (startedAt === undefined) return 0
  return (Date.parse(test?.terminated?.finishedAt ?? now.toISOString()) - Date.parse(startedAt)) / 1000
}

/** What the cluster did is tried again within its own budget; a patch's own limits are its fault the second time. */
function settle(unit: Unit, code: Code, seconds: number, bench: Bench): Judgement {
  if (code === 'm') return chance(unit, ['m', 'M'], seconds, bench)
  if (code === 'd') return chance(unit, ['d', 'D'], seconds, bench)
  const times = timesOf(code, unit, bench)
  if (code === 'i') return times < bench.infrastructureRetries ? again(unit, code, seconds, times) : { row: rowOf(unit, 'X', seconds) }
  return { row: rowOf(unit, code, seconds) }
}

function chance(unit: Unit, [first, second]: readonly [Code, Code], seconds: number, bench: Bench): Judgement {
  return timesOf(first, unit, bench) === 0 ? again(unit, first, seconds, 0) : { row: rowOf(unit, second, seconds) }
}

function timesOf(code: Code, unit: Unit, { earlier }: Bench): number {
  return earlier.filter((row) => row.code === code && row.attempt < unit.attempt).length
}

function again(unit: Unit, code: Code, seconds: number, times: number): Judgement {
  return { row: rowOf(unit, code, seconds), retryAfterMs: backoffSeconds(times) * 1000 }
}
