import type { V1EnvVar } from '@kubernetes/client-node'
import type { TrainingRun } from '../../../crds/training-run.ts'
import { ownerUrl } from '../../jobs/identity.ts'
import { buildJob } from '../../jobs/program-job.ts'
import { CA_FILE, TOKEN_FILE, type Mount } from '../../jobs/program-pod.ts'
import type { DesiredJob } from '../../shared/kinds.ts'
import { BUDGET_SECONDS, VERDICT_FINALIZER } from '../../shared/labels.ts'
import { poolNamed, type Gpu, type Pool } from '../../pools/pool.ts'
import type { Resolved } from '../resolve.ts'
import type { Settings } from '../settings.ts'
import { placementOf } from './placement.ts'
import { programOf } from './pod.ts'
import { modelMounts } from './prepare-job.ts'
import { threadsFor } from '../../shared/quantity.ts'

/** What distinguishes one attempt of a run from another. */
export type AttemptPlan = Readonly<{
  number: number
  /** Rows in one pass of one device: batch.perDevice or, after it was too much for the GPU, a divisor of it. */
  microBatch: number
  /** What the budget leaves this attempt; absent: no budget. */
  budgetSeconds?: number
}>

/** The Job of one attempt to train; it finds its data and the newest checkpoint in the store. */
export function buildAttemptJob(run: TrainingRun, resolved: Resolved, settings: Settings, plan: AttemptPlan): DesiredJob {
  const pool = configuredPool(resolved, settings)
  const gpu = resolved.gpusPerNode === 0 ? undefined : pool?.gpu
  return buildJob({
    ...programOf(run, resolved, settings),
    role: 'train',
    number: plan.number,
    end: `-a${plan.number}`,
    module: 'swe_workloads.train',
    image: pool?.image ?? (gpu === undefined ? settings.trainerImage : settings.gpuTrainerImage),
    resources: {
      requests: { cpu: resolved.cpu, memory: resolved.memory },
      limits: { memory: resolved.memory, ...(gpu === undefined ? {} : { [gpu.resource]: String(resolved.gpusPerNode) }) },
    },
    mounts: [...modelMounts(run), ...sharedMemory(resolved)],
    finalizers: [VERDICT_FINALIZER],
    ...(plan.budgetSeconds === undefined ? {} : { annotations: { [BUDGET_SECONDS]: String(plan.budgetSeconds) } }),
    placement: placementOf(run, resolved, pool),
    env: [...attemptEnv(run, resolved, settings, plan), ...gpuEnv(gpu), ...poolEnv(pool)],
  })
}

/** Throws a TypeError for a pool that the configuration no longer has: without it nobody knows the nodes. */
function configuredPool({ pool: name }: Resolved, { pools }: Settings): Pool | undefined {
  const pool = poolNamed(name, pools)
  if (name !== undefined && pool === undefined) throw new TypeError(`the configuration has no pool ${name}`)
  return pool
}

/** Between processes of one node NCCL and data loaders use /dev/shm, of which a container has 64 MiB by itself. */
function sharedMemory({ sharedMemory: sizeLimit }: Resolved): readonly Mount[] {
  if (sizeLimit === undefined) return []
  return [{ path: '/dev/shm', volume: { name: 'shared-memory', emptyDir: { medium: 'Memory', sizeLimit } }, writable: true }]
}

function attemptEnv(run: TrainingRun, resolved: Resolved, settings: Settings, { number, microBatch, budgetSeconds }: AttemptPlan): readonly V1EnvVar[] {
  const progress = `${ownerUrl(settings.progressUrl, run)}/attempts/${number}/status`
  return [
    { name: 'SWE_ATTEMPT', value: String(number) },
    { name: 'SWE_MICRO_BATCH', value: String(microBatch) },
    ...(budgetSeconds === undefined ? [] : [{ name: 'SWE_BUDGET_SECONDS', value: String(budgetSeconds) }]),
    { name: 'OMP_NUM_THREADS', value: String(threadsFor(resolved.cpu, Math.max(1, resolved.gpusPerNode))) },
    { name: 'KUBEFLOW_TRAINER_SERVER_URL', value: progress },
    { name: 'KUBEFLOW_TRAINER_SERVER_CA_CERT', value: CA_FILE },
    { name: 'KUBEFLOW_TRAINER_SERVER_TOKEN', value: TOKEN_FILE },
  ]
}

/** A lost peer ends the process instead of hanging it, NCCL says why, and freed memory of odd sizes is used again. */
function gpuEnv(gpu: Gpu | undefined): readonly V1EnvVar[] {
  if (gpu === undefined) return []
  return [
    { name: 'NCCL_DEBUG', value: 'WARN' },
    { name: 'TORCH_NCCL_ASYNC_ERROR_HANDLING', value: '1' },
    { name: 'PYTORCH_CUDA_ALLOC_CONF', value: 'expandable_segments:True' },
  ]
}

function poolEnv(pool: Pool | undefined): readonly V1EnvVar[] {
  return Object.entries(pool?.env ?? {}).map(([name, value]) => ({ name, value }))
}
