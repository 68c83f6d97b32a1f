import type { PreferenceGen } from '../../../crds/preference-gen.ts'
import { ownerUrl } from '../../jobs/identity.ts'
import { buildJob, type Program } from '../../jobs/program-job.ts'
import type { DesiredJob } from '../../shared/kinds.ts'
import { DATA_FOLDER, PREDICTIONS_FOLDER, sourceMounts } from '../../shared/sources.ts'
import type { Settings } from '../settings.ts'
import { evaluationMounts } from '../../generation/resources/evaluations.ts'
import { promptMounts } from '../../generation/resources/prompt.ts'
import { inputsName } from './inputs.ts'
import { resultsName } from './results.ts'

const GRACE_SECONDS = 30
const RESULTS_FOLDER = '/etc/swe-operator-results'

/** The Job that reads instances, samples and what they are compared with. It alone sees their sources and credentials. */
export function buildPrepareJob(generation: PreferenceGen, settings: Settings, number: number): DesiredJob {
  const { instances, predictions } = generation.spec
  return buildJob({
    ...programOf(generation, settings),
    role: 'prepare',
    number,
    end: `-prepare-prefs-${number}`, // as its inputs
    module: 'swe_workloads.preference_gen.prepare',
    mounts: [...sourceMounts('data', instances, DATA_FOLDER), ...sourceMounts('predictions', predictions, PREDICTIONS_FOLDER), ...promptMounts(generation, settings), ...evaluationMounts(generation)],
  })
}

/** The Job that makes pairs of what was graded, from the reports of the evaluation. */
export function buildReportJob(generation: PreferenceGen, settings: Settings, number: number): DesiredJob {
  return buildJob({
    ...programOf(generation, settings),
    role: 'report',
    number,
    end: `-prefs-report-${number}`,
    module: 'swe_workloads.preference_gen.report',
    env: [{ name: 'SWE_RESULTS_FILE', value: `${RESULTS_FOLDER}/results.json` }],
    mounts: [{ path: RESULTS_FOLDER, volume: { name: 'results', configMap: { name: resultsName(generation) } } }],
  })
}

function programOf(generation: PreferenceGen, settings: Settings): Pick<Program, 'owner' | 'settings' | 'artifactsUrl' | 'inputs' | 'gracePeriodSeconds' | 'image' | 'resources'> {
  return {
    owner: generation,
    settings,
    artifactsUrl: ownerUrl(settings.artifactsUrl, generation),
    inputs: inputsName(generation),
    gracePeriodSeconds: GRACE_SECONDS,
    image: settings.harnessImage,
    resources: { requests: { cpu: '500m', memory: '512Mi' }, limits: { memory: '4Gi' } },
  }
}
