import type { TrainingRun } from '../../../crds/training-run.ts'
import { buildJob } from '../../jobs/program-job.ts'
import { credentialsMount } from '../../jobs/program-pod.ts'
import type { DesiredJob } from '../../shared/kinds.ts'
import type { Resolved } from '../resolve.ts'
import type { Settings } from '../settings.ts'
import { programOf } from './pod.ts'
import { publishInputsName } from './publish-inputs.ts'

/** The Job that gives the result to a hub. It alone sees the token that may write there; it takes no GPU and no node of a pool. */
export function buildPublishJob(run: TrainingRun, resolved: Resolved, settings: Settings, number: number): DesiredJob {
  const secret = run.spec.publish?.hub.tokenSecretRef.name
  return buildJob({
    ...programOf(run, resolved, settings),
    inputs: publishInputsName(run),
    role: 'publish',
    number,
    end: `-publish-${number}`,
    module: 'swe_workloads.publishing.publish',
    image: settings.trainerImage,
    resources: { requests: { cpu: '500m', memory: '512Mi' }, limits: { memory: '4Gi' } },
    mounts: secret === undefined ? [] : [credentialsMount('publish', secret)],
    env: [{ name: 'HF_HUB_DISABLE_XET', value: '1' }], // every hub speaks LFS, and nothing goes to a host that no field names
  })
}
