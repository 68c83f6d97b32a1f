/** How fast an attempt is, as its reports tell. */
export type Pace = Readonly<{
  attempt: number
  /** The median over the newest intervals between two reports: an evaluation or a slow checkpoint does not move it. */
  secondsPerStep: number
  /** How many intervals it rests on. */
  intervals: number
}>

const LEAST_SECONDS = 300 // an evaluation or a checkpoint reports nothing for minutes
const STEPS = 10 // a trainer reports after a step: a few slow ones in a row are no silence yet

/** After how many seconds without a report a running attempt counts as silent. */
export function silentAfterSeconds(pace: Pace | undefined): number {
  return Math.max(LEAST_SECONDS, STEPS * (pace?.secondsPerStep ?? 0))
}
