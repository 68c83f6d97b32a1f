import type { TrainingRunAttempt } from '../../crds/training-run.ts'
import { isOutOfMemory, isOutOfMemoryForGood } from './micro-batch.ts'
import { retryOf } from './reasons.ts'

const BACKOFF_FIRST_SECONDS = 10 // as Jobs do; long enough for a node or the store to come back
const BACKOFF_MAX_SECONDS = 300 // a run that waits longer looks forgotten
export const MAX_ATTEMPTS_WITHOUT_PROGRESS = 5 // bounds outcomes that are repeated without a limit of their own

/** What follows the attempts so far. */
export type Next =
  | Readonly<{ kind: 'Attempt'; afterSeconds: number }>
  | Readonly<{ kind: 'GiveUp'; why: 'Never' | 'RetriesExhausted' | 'NoProgress' }>

/** Decides from the recorded attempts alone; those that spec.suspend ended neither count nor delay. */
export function nextAfter(attempts: readonly TrainingRunAttempt[], retryLimit: number): Next {
  const newest = attempts.at(-1)
  if (newest === undefined || isHeld(newest)) return { kind: 'Attempt', afterSeconds: 0 }
  const own = attempts.filter((attempt) => !isHeld(attempt))
  const retry = retryOf(newest.reason ?? '')
  const counted = own.filter((attempt) => retryOf(attempt.reason ?? '') === 'Counted' && !isOutOfMemory(attempt)).length // smaller passes come to an end by themselves
  const idle = trailingWithoutProgress(own)
  if (retry === 'Never' || isOutOfMemoryForGood(newest)) return { kind: 'GiveUp', why: 'Never' }
  if (counted > retryLimit) return { kind: 'GiveUp', why: 'RetriesExhausted' }
  if (idle >= MAX_ATTEMPTS_WITHOUT_PROGRESS) return { kind: 'GiveUp', why: 'NoProgress' }
  if (isOutOfMemory(newest)) return { kind: 'Attempt', afterSeconds: 0 }
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

/** A budget also suspends, but a program that always claims so without getting further must come to an end. */
function isHeld({ state, reason }: TrainingRunAttempt): boolean {
  return state === 'Suspended' && reason !== 'BudgetExceeded'
}

/** How many attempts at the end got no further than any before them; one with a smaller micro-batch is a new chance. */
function trailingWithoutProgress(attempts: readonly TrainingRunAttempt[]): number {
  let furthest = 0
  let idle = 0
  let rows = 0
  for (const { lastStep = 0, perDevice = rows } of attempts) {
    idle = lastStep > furthest || perDevice < rows ? 0 : idle + 1
    furthest = Math.max(furthest, lastStep)
    rows = perDevice
  }
  return idle
}
