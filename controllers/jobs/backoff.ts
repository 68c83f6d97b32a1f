const BACKOFF_FIRST_SECONDS = 10 // as Jobs do; long enough for a node or the store to come back
const BACKOFF_MAX_SECONDS = 300 // a run that waits longer looks forgotten
export const MAX_ATTEMPTS_WITHOUT_PROGRESS = 5 // bounds outcomes that are repeated without a limit of their own

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
