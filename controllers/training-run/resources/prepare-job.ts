import type { TrainingRun } from '../../../crds/training-run.ts'
import type { DesiredJob } from '../../shared/kinds.ts'
import type { Resolved } from '../resolve.ts'
import type { Settings } from '../settings.ts'
import { DATA_FOLDER } from './config-map.ts'
import { buildJob, credentialsMount, type Mount } from './pod.ts'

/** The Job that reads, checks and splits the data. It alone sees the sources of the data and their credentials. */
export function buildPrepareJob(run: TrainingRun, resolved: Resolved, settings: Settings, number: number): DesiredJob {
  return buildJob({ run, resolved, settings, role: 'prepare', number, mounts: [...dataMounts(run), ...modelMounts(run)] })
}

/** What reading the base model takes, beyond the artifact endpoint. */
export function modelMounts({ spec }: TrainingRun): readonly Mount[] {
  const secret = spec.model.s3?.secretRef ?? spec.model.hub?.tokenSecretRef
  return secret === undefined ? [] : [credentialsMount('model', secret.name)]
}

function dataMounts({ spec }: TrainingRun): readonly Mount[] {
  const source = spec.data.instances ?? spec.data.files
  const mounts: Mount[] = []
  if (source?.configMap) {
    const { name, key } = source.configMap
    mounts.push({ path: DATA_FOLDER, volume: { name: 'data', configMap: { name, items: [{ key, path: key }] } } })
  }
  const secret = source?.s3?.secretRef ?? source?.hub?.tokenSecretRef
  if (secret) mounts.push(credentialsMount('data', secret.name))
  return mounts
}
