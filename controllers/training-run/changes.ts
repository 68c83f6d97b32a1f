// What became of a figure over a run: its beginning and its end, in training and on the held-out rows.
import type { TrainingRunStatus } from '../../crds/training-run.ts'
import type { Observed } from './observed.ts'
import { newestVerdict } from './results.ts'
import type { TrainVerdict } from './verdicts.ts'

type Change = NonNullable<TrainingRunStatus['loss']>
type Ends = TrainVerdict['loss']

export function describeLoss(seen: Observed): TrainingRunStatus['loss'] {
  const verdict = newestVerdict(seen)
  return describeChange(seen.run.status?.loss, verdict?.loss, verdict?.evalLoss, isContinued(verdict))
}

/** Of a comparison only. */
export function describePreferences(seen: Observed): TrainingRunStatus['preferences'] {
  const before = seen.run.status?.preferences
  const verdict = newestVerdict(seen)
  const told = verdict?.preferences
  if (!told) return before
  const accuracy = describeChange(before?.accuracy, told.accuracy, told.evalAccuracy, isContinued(verdict))
  const margin = describeChange(before?.margin, told.margin, told.evalMargin, isContinued(verdict))
  return { ...(accuracy === undefined ? {} : { accuracy }), ...(margin === undefined ? {} : { margin }) }
}

function isContinued(verdict: TrainVerdict | undefined): boolean {
  return (verdict?.fromStep ?? 0) > 0
}

/** As the newest verdict tells it; the beginning stays that of the attempt that began at step 0. */
function describeChange(before: Change | undefined, training: Ends, heldOut: Ends, continued: boolean): Change | undefined {
  if (!training && !heldOut) return before
  const first = continued ? (before?.first ?? training?.first) : (training?.first ?? before?.first)
  const evalFirst = continued ? (before?.evalFirst ?? heldOut?.first) : (heldOut?.first ?? before?.evalFirst)
  const ends = { first, last: training?.last ?? before?.last, evalFirst, evalLast: heldOut?.last ?? before?.evalLast }
  return Object.fromEntries(Object.entries(ends).filter(([, value]) => value !== undefined))
}
