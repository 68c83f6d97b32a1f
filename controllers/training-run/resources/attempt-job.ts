import type { TrainingRun } from '../../../crds/training-run.ts'
import type { DesiredJob } from '../../shared/kinds.ts'
import { VERDICT_FINALIZER } from '../../shared/labels.ts'
import type { Resolved } from '../resolve.ts'
import { runUrl, type Settings } from '../settings.ts'
import { buildJob, CA_FILE, TOKEN_FILE } from './pod.ts'
import { modelMounts } from './prepare-job.ts'

/** The Job of one attempt to train; it finds its data and the newest checkpoint in the store. */
export function buildAttemptJob(run: TrainingRun, resolved: Resolved, settings: Settings, number: number): DesiredJob {
  const progress = `${runUrl(settings.progressUrl, run)}/attempts/${number}/status`
  return buildJob({
    run,
    resolved,
    settings,
    role: 'train',
    number,
    mounts: modelMounts(run),
    finalizers: [VERDICT_FINALIZER],
    env: [
      { name: 'SWE_ATTEMPT', value: String(number) },
      { name: 'OMP_NUM_THREADS', value: String(threadsFor(resolved.cpu)) },
      { name: 'KUBEFLOW_TRAINER_SERVER_URL', value: progress },
      { name: 'KUBEFLOW_TRAINER_SERVER_CA_CERT', value: CA_FILE },
      { name: 'KUBEFLOW_TRAINER_SERVER_TOKEN', value: TOKEN_FILE },
    ],
  })
}

/** Whole threads within the cores asked for, at least one. Equal in every attempt, or sums would round differently. */
export function threadsFor(cpu: string): number {
  const cores = cpu.endsWith('m') ? Number.parseInt(cpu, 10) / 1000 : Number(cpu)
  return Math.max(1, Math.floor(cores))
}
