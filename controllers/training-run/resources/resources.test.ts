import { dump } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import type { TrainingRunSpec } from '../../../crds/training-run.ts'
import { aTrainingRun, CA, settings as bare } from '../../../test/world/training-run.ts'
import { poolsSchema } from '../pools/pool-config.ts'
import { resolve } from '../resolve.ts'
import { buildAttemptJob, threadsFor, type AttemptPlan } from './attempt-job.ts'
import { buildInputs } from './config-map.ts'
import { buildPrepareJob } from './prepare-job.ts'

const settings = {
  ...bare,
  pools: poolsSchema.parse([
    { name: 'a100-40-gke', platform: 'GKE', gpu: 'A100-40' },
    { name: 'a100-40-eks-spot', platform: 'EKS', gpu: 'A100-40', spot: true },
    { name: 'a100-80-aks-spot', platform: 'AKS', gpu: 'A100-80', spot: true, nodeSelector: { agentpool: 'a100' } },
    { name: 'a100-80-gfd', platform: 'GFD', gpu: 'A100-80', env: { NCCL_DEBUG: 'INFO', NCCL_SOCKET_IFNAME: 'eth0' } },
    { name: 'simulated', gpu: { resource: 'simulated-gpu.swe-operator.dev/a100', product: 'simulated', memoryGi: 40 }, image: 'ghcr.io/swe-operator/trainer:0.1.0' },
    { name: 'cpu-spot', nodeSelector: { 'team.example.com/spot': 'true' }, tolerations: [{ key: 'spot', operator: 'Exists' }] },
  ]),
}

const full: Partial<TrainingRunSpec> = {
  seed: 7,
  model: { s3: { uri: 's3://models/qwen2-0.5b', secretRef: { name: 'model-key' } } },
  data: { files: { s3: { uri: 's3://data/rows.jsonl', secretRef: { name: 'data-key' } }, format: 'Messages', select: { limit: 100 } } },
  split: { trainPercent: 70, by: 'Instance', seed: 9 },
  lora: { rank: 8, alpha: 16, dropout: '0', targetModules: ['q_proj', 'v_proj'] },
  optimizer: { learningRate: '1e-3', scheduler: 'Linear', warmupRatio: '0.1', weightDecay: '0.01' },
  batch: { perDevice: 2, gradientAccumulation: 8 },
  duration: { epochs: '3' },
  sequence: { maxLength: 512 },
  evaluation: { everySteps: 10 },
  checkpoint: { everySteps: 5, keep: 2 },
  compute: { cpu: '1500m', memory: '8Gi' },
  gracePeriodSeconds: 60,
  retries: { limit: 1 },
}

const gpuRuns = {
  'gke-lora': { compute: { pool: 'a100-40-gke', priorityClassName: 'night' } },
  'eks-spot-qlora': { lora: { quantization: 'NF4' }, compute: { pool: 'a100-40-eks-spot', cpu: 10, memory: '100Gi', sharedMemory: '16Gi' } },
  'aks-spot-hub': {
    model: { hub: { repo: 'Qwen/Qwen2.5-Coder-7B', tokenSecretRef: { name: 'model-token' } } },
    data: { files: { hub: { repo: 'team/rows', tokenSecretRef: { name: 'data-token' } }, format: 'Messages' } },
    compute: { pool: 'a100-80-aks-spot' },
  },
  'gfd-4-gpus': { compute: { pool: 'a100-80-gfd', gpusPerNode: 4, cpu: 48 } },
  'queue': { compute: { pool: 'a100-40-gke', queueName: 'team-queue', workloadPriorityClass: 'night', priorityClassName: 'night' } },
  'simulated-gpu': { compute: { pool: 'simulated', cpu: 1, memory: '2Gi', sharedMemory: '64Mi' } },
  'cpu-pool': { compute: { pool: 'cpu-spot' } },
} as const satisfies Record<string, Partial<TrainingRunSpec>>

function attemptJob(run: ReturnType<typeof aTrainingRun>, plan: Partial<AttemptPlan> = {}, chosen = settings) {
  const resolved = resolve(run, chosen)
  return buildAttemptJob(run, resolved, chosen, { number: 1, microBatch: resolved.perDevice, ...plan })
}

const gpuJob = (name: keyof typeof gpuRuns, plan: Partial<AttemptPlan> = {}) => attemptJob(aTrainingRun(gpuRuns[name]), plan)
const podOf = (job: ReturnType<typeof buildAttemptJob>) => job.spec.template.spec
const containerOf = (job: ReturnType<typeof buildAttemptJob>) => podOf(job)?.containers[0]
const envOf = (job: ReturnType<typeof buildAttemptJob>) => Object.fromEntries(containerOf(job)?.env?.map(({ name, value }) => [name, value]) ?? [])

const minimal = aTrainingRun()
const complete = aTrainingRun(full)
const withPullSecret = { ...settings, imagePullSecrets: ['registry'] }

describe('what is created for a run', () => {
  it.each([
    ['inputs-minimal', buildInputs(minimal, resolve(minimal, settings), CA)],
    ['inputs-full', buildInputs(complete, resolve(complete, settings), CA)],
    ['prepare-job-minimal', buildPrepareJob(minimal, resolve(minimal, settings), settings, 1)],
    ['prepare-job-full', buildPrepareJob(complete, resolve(complete, settings), withPullSecret, 2)],
    ['attempt-job-minimal', attemptJob(minimal)],
    ['attempt-job-full', attemptJob(complete, { number: 12, microBatch: 1, budgetSeconds: 7200 }, withPullSecret)],
    ['prepare-job-gpu', buildPrepareJob(aTrainingRun(gpuRuns['aks-spot-hub']), resolve(aTrainingRun(gpuRuns['aks-spot-hub']), settings), settings, 1)],
  ])('is rendered as in golden/%s.yaml', async (name, object) => {
    await expect(dump(object, { lineWidth: -1, noRefs: true })).toMatchFileSnapshot(`golden/${name}.yaml`)
  })

  it.each(['gke-lora', 'eks-spot-qlora', 'aks-spot-hub', 'gfd-4-gpus', 'queue', 'simulated-gpu', 'cpu-pool'] as const)('on a pool is rendered as in golden/attempt-job-%s.yaml', async (name) => {
    await expect(dump(gpuJob(name), { lineWidth: -1, noRefs: true })).toMatchFileSnapshot(`golden/attempt-job-${name}.yaml`)
  })

  it('is admitted by the restricted pod security standard', () => {
    const { spec } = attemptJob(minimal).spec.template
    expect(spec?.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
    expect(spec?.containers.map(({ securityContext }) => securityContext)).toEqual([
      { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    ])
    expect(spec?.automountServiceAccountToken).toBe(false)
  })

  it('gives the credentials of the data to the preparation alone', () => {
    const volumes = (job: ReturnType<typeof buildAttemptJob>) => job.spec.template.spec?.volumes?.flatMap(({ secret }) => secret?.secretName ?? [])
    expect(volumes(buildPrepareJob(complete, resolve(complete, settings), settings, 1))).toEqual(['data-key', 'model-key'])
    expect(volumes(attemptJob(complete))).toEqual(['model-key'])
  })

  it('never lets Kubernetes start a second pod by itself', () => {
    const { backoffLimit, podReplacementPolicy, podFailurePolicy, template } = attemptJob(minimal).spec
    expect({ backoffLimit, podReplacementPolicy, restart: template.spec?.restartPolicy }).toEqual({ backoffLimit: 0, podReplacementPolicy: 'Failed', restart: 'Never' })
    expect(podFailurePolicy?.rules.map(({ action }) => action)).toEqual(['FailJob', 'FailJob'])
  })

  it('fits the limit of 63 characters for the longest name a run may have', () => {
    const long = { ...minimal, metadata: { ...minimal.metadata, name: 'a'.repeat(52) } }
    const names = [buildPrepareJob(long, resolve(long, settings), settings, 99), attemptJob(long, { number: 999 })].map(({ metadata }) => metadata.name.length)
    expect(Math.max(...names)).toBeLessThanOrEqual(63)
  })
})

describe('a training pod on GPUs', () => {
  it('asks for whole GPUs, as a limit, and runs the image with CUDA', () => {
    const container = containerOf(gpuJob('gfd-4-gpus'))
    expect(container?.resources).toEqual({ requests: { cpu: '48', memory: '256Gi' }, limits: { memory: '256Gi', 'nvidia.com/gpu': '4' } })
    expect(container?.image).toBe(settings.gpuTrainerImage)
  })

  it('has shared memory of the size asked for, which it can write', () => {
    const job = gpuJob('eks-spot-qlora')
    expect(podOf(job)?.volumes).toContainEqual({ name: 'shared-memory', emptyDir: { medium: 'Memory', sizeLimit: '16Gi' } })
    expect(containerOf(job)?.volumeMounts).toContainEqual({ name: 'shared-memory', mountPath: '/dev/shm' })
  })

  it('divides its cores between its processes', () => {
    expect(envOf(gpuJob('gfd-4-gpus'))).toMatchObject({ OMP_NUM_THREADS: '12' })
  })

  it('takes the environment of the pool in place of its own', () => {
    const { env = [] } = containerOf(gpuJob('gfd-4-gpus')) ?? {}
    expect(env.filter(({ name }) => name.startsWith('NCCL'))).toEqual([{ name: 'NCCL_DEBUG', value: 'INFO' }, { name: 'NCCL_SOCKET_IFNAME', value: 'eth0' }])
  })

  it('takes the image of the pool in place of that of the installation', () => {
    expect(containerOf(gpuJob('simulated-gpu'))?.image).toBe(settings.trainerImage)
  })

  it('gets nodes and tolerations from the flavor of its queue alone, and waits for it suspended', () => {
    const job = gpuJob('queue')
    expect(job.metadata.labels).toMatchObject({ 'kueue.x-k8s.io/queue-name': 'team-queue', 'kueue.x-k8s.io/priority-class': 'night' })
    expect(job.spec.suspend).toBe(true)
    expect(podOf(job)).not.toHaveProperty('affinity')
    expect(podOf(job)).not.toHaveProperty('tolerations')
    expect(containerOf(job)?.resources?.limits).toMatchObject({ 'nvidia.com/gpu': '1' })
  })

  it('is queued by the label on its run as well', () => {
    const run = aTrainingRun(gpuRuns['gke-lora'])
    const labelled = { ...run, metadata: { ...run.metadata, labels: { 'kueue.x-k8s.io/queue-name': 'night' } } }
    expect(attemptJob(labelled)).toMatchObject({ metadata: { labels: { 'kueue.x-k8s.io/queue-name': 'night' } }, spec: { suspend: true } })
  })

  it('is not built when the configuration has lost its pool', () => {
    const run = aTrainingRun(gpuRuns['gke-lora'])
    expect(() => buildAttemptJob(run, resolve(run, settings), bare, { number: 1, microBatch: 1 })).toThrow('the configuration has no pool a100-40-gke')
  })
})

describe('the preparation of a run on GPUs', () => {
  const run = aTrainingRun(gpuRuns['eks-spot-qlora'])
  const job = buildPrepareJob(run, resolve(run, settings), settings, 1)

  it('takes neither a GPU nor a node of the pool', () => {
    expect(podOf(job)).not.toHaveProperty('affinity')
    expect(podOf(job)).not.toHaveProperty('tolerations')
    expect(containerOf(job)?.resources?.limits).toEqual({ memory: '100Gi' })
    expect(containerOf(job)?.image).toBe(settings.trainerImage)
  })

  it('finds room on a small node, and may use the memory of the run where there is any', () => {
    expect(containerOf(job)?.resources).toEqual({ requests: { cpu: '1', memory: '8Gi' }, limits: { memory: '100Gi' } })
  })

  it('never waits in a queue', () => {
    const queued = aTrainingRun(gpuRuns.queue)
    const { metadata, spec } = buildPrepareJob(queued, resolve(queued, settings), settings, 1)
    expect([metadata.labels?.['kueue.x-k8s.io/queue-name'], spec.suspend]).toEqual([undefined, undefined])
  })
})

it('tells an attempt its micro-batch, and its budget where there is one', () => {
  expect(envOf(gpuJob('gke-lora', { microBatch: 2, budgetSeconds: 3600 }))).toMatchObject({ SWE_MICRO_BATCH: '2', SWE_BUDGET_SECONDS: '3600' })
  expect(envOf(gpuJob('gke-lora'))).not.toHaveProperty('SWE_BUDGET_SECONDS')
})

it.each([['1', 1, 1], ['4', 1, 4], ['1.5', 1, 1], ['500m', 1, 1], ['2500m', 1, 2], ['30', 4, 7], ['2', 4, 1]])('computes with whole threads: %s cores for %d processes are %d each', (cpu, processes, threads) => {
  expect(threadsFor(cpu, processes)).toBe(threads)
})
