import { retryOf } from '../jobs/endings.ts'
import type { TrainingRunAttempt } from '../../crds/training-run.ts'
import { backoffSeconds, MAX_ATTEMPTS_WITHOUT_PROGRESS } from '../jobs/backoff.ts'
import { isOutOfMemory, isOutOfMemoryForGood } from './micro-batch.ts'

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
