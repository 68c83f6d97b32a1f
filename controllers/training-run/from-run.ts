// The run that another one continues: waited for, then frozen.
import type { TrainingRun, TrainingRunOrigin } from '../../crds/training-run.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { isComplete } from '../shared/lifecycle.ts'
import { waitFor } from '../shared/references.ts'
import { missingSecret, nothingLeft, originIn, secretWanted } from '../shared/run-results.ts'
import type { Observed } from './observed.ts'
import { conclude } from './reasons.ts'

const FIELD = 'spec.model.fromRun'

/** Policy: what another run leaves is taken down in the status before anything is made of it, so that both agree for ever. */
export function followRun(seen: Observed): Verdict | undefined {
  const { run, referred } = seen
  const name = awaitedBy(run)
  if (name === undefined) return undefined
  const mistake = referred && mistakeAbout(run, referred)
  if (mistake !== undefined) return mistake
  return waitFor({ field: FIELD, kind: 'TrainingRun', name, found: referred }, conclude) ?? begin(name, describeOrigin(seen))
}

/** Frozen once that run is complete and this one may continue it, whatever else holds this one up; undefined before. */
export function describeOrigin({ run, referred }: Pick<Observed, 'run' | 'referred'>): TrainingRunOrigin | undefined {
  if (awaitedBy(run) === undefined || referred === undefined || mistakeAbout(run, referred) !== undefined) return run.status?.fromRun
  return isComplete(referred) ? originIn(referred) : undefined
}

/** The name of the run that this one waits for. */
export function awaitedBy({ spec, status }: TrainingRun): string | undefined {
  return status?.fromRun === undefined ? spec.model.fromRun?.name : undefined
}

function begin(name: string, origin: TrainingRunOrigin | undefined): Verdict {
  if (origin === undefined) return conclude('UnusableReference', nothingLeft(name))
  const what = origin.adapter === undefined ? 'model' : 'adapter'
  return conclude('Preparing', `TrainingRun ${name} is complete: its ${what} at ${origin.uri} is continued.`)
}

/** What no patience mends: specifications do not change. */
function mistakeAbout(run: TrainingRun, referred: TrainingRun): Verdict | undefined {
  if (referred.spec.lora === undefined) return undefined
  const { name } = referred.metadata
  if (run.spec.lora === undefined) return conclude('InvalidConfiguration', `TrainingRun ${name} leaves an adapter, and this run has no lora. Set lora: {} in a new TrainingRun to continue the adapter.`)
  const missing = missingSecret(run.spec.model.fromRun, referred)
  if (missing === undefined) return undefined
  return conclude('InvalidReference', secretWanted(name, `${FIELD}.${missing}`, 'TrainingRun'))
}
