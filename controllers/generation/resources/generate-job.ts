import { ownerUrl } from '../../jobs/identity.ts'
import { buildJob } from '../../jobs/program-job.ts'
import { credentialsMount } from '../../jobs/program-pod.ts'
import type { DesiredJob } from '../../shared/kinds.ts'
import { DATA_FOLDER, sourceMounts } from '../../shared/sources.ts'
import { childEnd, type Asker } from '../asker.ts'
import type { Settings } from '../settings.ts'
import { evaluationMounts } from './evaluations.ts'
import { promptMounts } from './prompt.ts'
import { questionsName } from './questions.ts'

const GRACE_SECONDS = 30

/** The Job that asks the model. It alone sees the key of the API. */
export function buildGenerateJob(asker: Asker, settings: Settings, number: number): DesiredJob {
  const secret = asker.spec.generation?.model.endpoint?.apiKeySecretRef
  return buildJob({
    owner: asker,
    settings,
    artifactsUrl: ownerUrl(settings.artifactsUrl, asker),
    gracePeriodSeconds: GRACE_SECONDS,
    image: settings.harnessImage,
    resources: { requests: { cpu: '500m', memory: '512Mi' }, limits: { memory: '4Gi' } },
    inputs: questionsName(asker),
    role: 'generate',
    number,
    end: childEnd(asker, `generate-${number}`),
    module: 'swe_workloads.generation.generate',
    env: [{ name: 'SWE_PROGRESS_URL', value: `${ownerUrl(settings.progressUrl, asker)}/attempts/${number}/status` }],
    mounts: [...sourceMounts('data', asker.spec.instances, DATA_FOLDER), ...promptMounts(asker, settings), ...evaluationMounts(asker), ...(secret === undefined ? [] : [credentialsMount('model', secret.name)])],
  })
}
