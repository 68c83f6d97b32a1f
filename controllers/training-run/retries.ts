import type { TrainingRunAttempt } from '../../crds/training-run.ts'
import { retryOf } from './reasons.ts'

const BACKOFF_FIRST_SECONDS = 10 // as Jobs do; long enough for a node or the store to come back
const BACKOFF_MAX_SECONDS = 300 // a run that waits longer looks forgotten
export const MAX_ATTEMPTS_WITHOUT_PROGRESS = 5 // bounds outcomes that are repeated without a limit of their own

/** What follows the attempts so far. */
export type Next =
  | Readonly<{ kind: 'Attempt'; afterSeconds: number }>
  | Readonly<{ kind: 'GiveUp'; why: 'Never' | 'RetriesExhausted' | 'NoProgress' }>

/** Decides from the recorded attempts alone; suspended ones neither count nor delay. */
export function nextAfter(attempts: readonly TrainingRunAttempt[], retryLimit: number): Next {
  const newest = attempts.at(-1)
  if (newest === undefined || newest.state === 'Suspended') return { kind: 'Attempt', afterSeconds: 0 }
  const own = attempts.filter(({ state }) => state !== 'Suspended')
  const retry = retryOf(newest.reason ?? '')
  const counted = own.filter(({ reason }) => retryOf(reason ?? '') === 'Counted').length
  const idle = trailingWithoutProgress(own)
  if (retry === 'Never') return { kind: 'GiveUp', why: 'Never' }
  if (counted > retryLimit) return { kind: 'GiveUp', why: 'RetriesExhausted' }
  if (idle >= MAX_ATTEMPTS_WITHOUT_PROGRESS) return { kind: 'GiveUp', why: 'NoProgress' }
  return { kind: 'Attempt', afterSeconds: retry === 'Counted' ? backoffSeconds(counted) : backoffSeconds(idle - 1) }
}

/** 0, then 10 s, doubled with each further time up to five minutes. */
export function backoffSeconds(times: number): number {
  if (times < 1) return 0
  return Math.min(BACKOFF_MAX_SECONDS, BACKOFF_FIRST_SECONDS * 2 ** Math.min(times - 1, 10))
}

/** Seconds left of a delay that began at `since`; 0 when it is over or nobody knows when it began. */
export function secondsLeft(since: string | undefined, delaySeconds: number, now: Date): number {
  if (since === undefined) return 0
  const elapsedMs = now.getTime() - Date.parse(since)
  return Math.max(0, Math.ceil(delaySeconds - elapsedMs / 1000))
}

/** How many attempts at the end got no further than any before them. */
function trailingWithoutProgress(attempts: readonly TrainingRunAttempt[]): number {
  let furthest = 0
  let idle = 0
  for (const { lastStep } of attempts) {
    idle = (lastStep ?? 0) > furthest ? 0 : idle + 1
    furthest = Math.max(furthest, lastStep ?? 0)
  }
  return idle
}
