// The run whose result is asked: waited for, then frozen.
import type { Origin } from '../../crds/from-run.ts'
import type { TrainingRun } from '../../crds/training-run.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { waitInCircle } from '../shared/circles.ts'
import { isComplete, wasTrained } from '../shared/lifecycle.ts'
import { isOwn } from '../shared/own-evaluation.ts'
import { waitFor } from '../shared/references.ts'
import { missingSecret, nothingLeft, originIn, secretWanted } from '../shared/run-results.ts'
import type { Asker } from './asker.ts'
import { isToAsk, type Observed } from './observed.ts'

const FIELD = 'spec.generation.model.fromRun'

/** Policy: what the run leaves is taken down in the status before anything is made of it, so that both agree for ever. */
export function followRun(seen: Observed): Verdict | undefined {
  const { asker, referred, circle, conclude } = seen
  const name = awaitedBy(asker)
  if (name === undefined || !isToAsk(seen)) return undefined
  if (circle !== undefined) return conclude('UnusableReference', waitInCircle(circle, FIELD))
  const missing = referred && missingSecret(asker.spec.generation?.model.fromRun, referred)
  if (missing !== undefined) return conclude('InvalidReference', secretWanted(name, `${FIELD}.${missing}`, asker.kind))
  const waiting = isThere(asker, referred) ? undefined : waitFor({ field: FIELD, kind: 'TrainingRun', name, found: referred }, conclude)
  if (waiting !== undefined) return waiting
  const origin = describeOrigin(seen)
  if (origin === undefined) return conclude('UnusableReference', nothingLeft(name))
  const what = origin.adapter === undefined ? 'model' : 'adapter'
  return conclude('Serving', `TrainingRun ${name} is ${isComplete(referred ?? {}) ? 'complete' : 'trained'}: its ${what} at ${origin.uri} is served.`)
}

/** Complete, or trained where this asks about its result on the run's own behalf, before it is. */
function isThere(asker: Asker, referred: TrainingRun | undefined): boolean {
  if (referred === undefined) return false
  return isComplete(referred) || (wasTrained(referred) && isOwn(asker, referred))
}

/** Frozen once that run is complete, whatever else holds this one up; undefined before. */
export function describeOrigin({ asker, referred }: Pick<Observed, 'asker' | 'referred'>): Origin | undefined {
  const { spec, status } = asker
  if (awaitedBy(asker) === undefined || referred === undefined) return status?.fromRun
  if (missingSecret(spec.generation?.model.fromRun, referred) !== undefined) return undefined
  return isThere(asker, referred) ? originIn(referred) : undefined
}

/** The name of the run that this one waits for. */
export function awaitedBy({ spec, status }: Asker): string | undefined {
  return status?.fromRun === undefined ? spec.generation?.model.fromRun?.name : undefined
}
