import { backoffSeconds, MAX_ATTEMPTS_WITHOUT_PROGRESS, secondsLeft } from './backoff.ts'
import { endTimeOf, isLive, type Child } from './children.ts'
import { outcomeOf, type Outcome, type Said } from './outcome.ts'

/** What follows for a program that has to succeed once. */
export type NextRun =
  | Readonly<{ kind: 'Live'; child: Child }>
  | Readonly<{ kind: 'Start'; number: number }>
  | Readonly<{ kind: 'Wait'; seconds: number; last: Outcome }>
  /** It would end the same way, or has failed too often. */
  | Readonly<{ kind: 'GiveUp'; last: Outcome; times: number }>

/** Decides from the Jobs of one role so far, ascending by number, none of which has succeeded. */
export function nextRun(children: readonly (Child & Readonly<{ verdict?: Said }>)[], retryLimit: number, now: Date): NextRun {
  const live = children.findLast(isLive)
  if (live) return { kind: 'Live', child: live }
  const newest = children.at(-1)
  const outcomes = children.map(outcomeOf)
  const last = outcomes.at(-1)
  if (newest === undefined || last === undefined) return { kind: 'Start', number: 1 }
  const counted = outcomes.filter(isCounted).length
  const isHopeless = outcomes.length >= MAX_ATTEMPTS_WITHOUT_PROGRESS && !outcomes.slice(-MAX_ATTEMPTS_WITHOUT_PROGRESS).some(isCounted)
  if (last.retry === 'Never' || counted > retryLimit || isHopeless) return { kind: 'GiveUp', last, times: newest.number }
  const seconds = secondsLeft(endTimeOf(newest), backoffSeconds(isCounted(last) ? counted : outcomes.length), now)
  return seconds === 0 ? { kind: 'Start', number: newest.number + 1 } : { kind: 'Wait', seconds, last }
}

const KEPT = 5 // for a person to look at

/** Jobs that nobody needs any more; those that count against the limit stay, as they are the count. */
export function outdated<T extends Child & Readonly<{ verdict?: Said }>>(children: readonly T[]): readonly T[] {
  return children.slice(0, -KEPT).filter((one) => !isCounted(outcomeOf(one)))
}

function isCounted({ retry }: Outcome): boolean {
  return retry === 'Counted'
}
