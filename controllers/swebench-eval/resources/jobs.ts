import type { SWEBenchEval } from '../../../crds/swebench-eval.ts'
import { ownerUrl } from '../../jobs/identity.ts'
import { buildJob, type Program } from '../../jobs/program-job.ts'
import { pullSecretMounts } from '../../jobs/program-pod.ts'
import type { DesiredJob } from '../../shared/kinds.ts'
import { DATA_FOLDER, PREDICTIONS_FOLDER, sourceMounts } from '../../shared/sources.ts'
import type { Resolved } from '../resolve.ts'
import type { Settings } from '../settings.ts'
import { inputsName } from './inputs.ts'
import { resultsName } from './results.ts'
import { pullSecretsOf } from './sandbox-pod.ts'

const GRACE_SECONDS = 30
const RESULTS_FOLDER = '/etc/swe-operator-results'

/** The Job that reads and checks instances and predictions. It alone sees their sources and credentials. */
export function buildPrepareJob(evaluation: SWEBenchEval, resolved: Resolved, settings: Settings, number: number): DesiredJob {
  const { instances, predictions } = evaluation.spec
  return buildJob({
    ...programOf(evaluation, settings),
    role: 'prepare',
    number,
    end: `-prepare-eval-${number}`, // as its inputs
    module: 'swe_workloads.evaluation.prepare',
    mounts: [...sourceMounts('data', instances, DATA_FOLDER), ...sourceMounts('predictions', predictions, PREDICTIONS_FOLDER), ...(resolved.pinDigests === 'Never' ? [] : pullSecretMounts(pullSecretsOf(evaluation, settings)))],
  })
}

/** The Job that writes the reports, from the verdicts in the store and the rows of the operator. */
export function buildReportJob(evaluation: SWEBenchEval, settings: Settings, number: number): DesiredJob {
  return buildJob({
    ...programOf(evaluation, settings),
    role: 'report',
    number,
    end: `-eval-report-${number}`,
    module: 'swe_workloads.evaluation.report',
    env: [{ name: 'SWE_RESULTS_FILE', value: `${RESULTS_FOLDER}/results.json` }],
    mounts: [{ path: RESULTS_FOLDER, volume: { name: 'results', configMap: { name: resultsName(evaluation) } } }],
  })
}

function programOf(evaluation: SWEBenchEval, settings: Settings): Pick<Program, 'owner' | 'settings' | 'artifactsUrl' | 'inputs' | 'gracePeriodSeconds' | 'image' | 'resources'> {
  return {
    owner: evaluation,
    settings,
    artifactsUrl: ownerUrl(settings.artifactsUrl, evaluation),
    inputs: inputsName(evaluation),
    gracePeriodSeconds: GRACE_SECONDS,
    image: settings.harnessImage,
    resources: { requests: { cpu: '500m', memory: '512Mi' }, limits: { memory: '4Gi' } },
  }
}
