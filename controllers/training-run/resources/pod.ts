import type { TrainingRun } from '../../../crds/training-run.ts'
import { ownerUrl } from '../../jobs/identity.ts'
import type { Program } from '../../jobs/program-job.ts'
import type { Resolved } from '../resolve.ts'
import type { Settings } from '../settings.ts'
import { inputsName } from './config-map.ts'

/** What all programs of a run have in common. */
export function programOf(run: TrainingRun, resolved: Resolved, settings: Settings): Pick<Program, 'owner' | 'settings' | 'artifactsUrl' | 'inputs' | 'gracePeriodSeconds'> {
  return {
    owner: run,
    settings,
    artifactsUrl: ownerUrl(settings.artifactsUrl, run),
    inputs: inputsName(run),
    gracePeriodSeconds: resolved.gracePeriodSeconds,
  }
}
