import type { V1ResourceRequirements } from '@kubernetes/client-node'
import type { TrainingRun, TrainingRunSpec } from '../../../crds/training-run.ts'
import { buildJob } from '../../jobs/program-job.ts'
import { credentialsMount, type Mount } from '../../jobs/program-pod.ts'
import type { DesiredJob } from '../../shared/kinds.ts'
import { DATA_FOLDER, type FolderSource, type Source, sourceMounts } from '../../shared/sources.ts'
import { modelSecret } from '../model-source.ts'
import type { Resolved } from '../resolve.ts'
import type { Settings } from '../settings.ts'
import { programOf } from './pod.ts'
import { bytesOf, coresOf } from '../../shared/quantity.ts'

const CORES = 1 // one process that reads and counts
const MEMORY = '8Gi' // some GB of rows and a tokenizer, never the weights

/**
 * The Job that reads, checks and splits the data. It alone sees the sources of the data and their credentials. It takes
 * no GPU and no node of a pool, which may be worth more an hour than the preparation lasts.
 */
export function buildPrepareJob(run: TrainingRun, resolved: Resolved, settings: Settings, number: number): DesiredJob {
  return buildJob({
    ...programOf(run, resolved, settings),
    role: 'prepare',
    number,
    end: `-prepare-${number}`,
    module: 'swe_workloads.prepare',
    image: settings.trainerImage,
    resources: modestResources(resolved),
    mounts: [...sourceMounts('data', sourceOf(run.spec), DATA_FOLDER), ...modelMounts(run)],
  })
}

/** Empty where what is learned from lies in the own store. */
function sourceOf({ data: { instances, files, preferences, trajectories } }: TrainingRunSpec): Source | FolderSource | undefined {
  return instances ?? files ?? preferences ?? trajectories
}

/** What the training asks for may be a whole GPU node: only the limit is the same, so that raising compute.memory helps here too. */
function modestResources({ cpu, memory }: Resolved): V1ResourceRequirements {
  const requests = { cpu: coresOf(cpu) < CORES ? cpu : String(CORES), memory: bytesOf(memory) < bytesOf(MEMORY) ? memory : MEMORY }
  return { requests, limits: { memory } }
}

/** What reading the base model takes, beyond the artifact endpoint. */
export function modelMounts(run: TrainingRun): readonly Mount[] {
  const secret = modelSecret(run)
  return secret === undefined ? [] : [credentialsMount('model', secret)]
}
