import { dump } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import type { TrainingRun, TrainingRunOrigin, TrainingRunSpec } from '../../../crds/training-run.ts'
import { aTrainingRun, CA, settings as bare } from '../../../test/world/training-run.ts'
import { poolsSchema } from '../../pools/pool-config.ts'
import { resolve } from '../resolve.ts'
import { threadsFor } from '../../shared/quantity.ts'
import { buildAttemptJob, type AttemptPlan } from './attempt-job.ts'
import { buildInputs } from './config-map.ts'
import { buildPrepareJob } from './prepare-job.ts'
import { buildPublishInputs } from './publish-inputs.ts'
import { buildPublishJob } from './publish-job.ts'

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

const comparison: Partial<TrainingRunSpec> = {
  method: 'DPO',
  data: { preferences: { s3: { uri: 's3://data/pairs.jsonl', secretRef: { name: 'data-key' } }, select: { limit: 100 } } },
  dpo: { beta: '0.3', lossType: 'Robust', referenceLogProbs: 'Precomputed' },
}

/** Continues the adapter of a run, or the whole model that it left. */
function continuing(adapter: TrainingRunOrigin['adapter']): TrainingRun {
  const folder = `s3://swe-operator/team/first-uid/result/a1/${adapter === undefined ? 'model' : 'adapter'}`
  const files = (adapter === undefined ? ['config.json', 'model.safetensors'] : ['adapter_config.json', 'adapter_model.safetensors']).map((name, i) => ({ name, sha256: String(i).repeat(64) }))
  const run = aTrainingRun({ ...comparison, model: { fromRun: { name: 'first', tokenSecretRef: { name: 'token' } } } })
  return { ...run, status: { fromRun: { name: 'first', uid: 'first-uid', uri: folder, files, ...(adapter === undefined ? {} : { adapter }) } } }
}

const base = { hub: { repo: 'Qwen/Qwen2.5-Coder-3B', revision: 'c'.repeat(40) }, sha256: 'd'.repeat(64) }
const adapted = continuing({ rank: 8, alpha: 16, targetModules: 'q_proj,v_proj', base })
const whole = continuing(undefined)

const resolvedElsewhere: TrainingRun = {
  ...aTrainingRun({ data: { trajectories: { fromEval: { name: 'samples' }, style: 'Ticks', select: { seed: 3 } } }, sequence: { lossOn: 'AssistantMessages' } }),
  status: { fromEval: { name: 'samples', uid: 'eval-uid', uri: 's3://swe-operator/team/eval-uid/report/p/resolved.jsonl', sha256: 'e'.repeat(64), resolved: 4 } },
}

const ofAFolder = aTrainingRun({ data: { trajectories: { s3: { uri: 's3://agents/run-1', secretRef: { name: 'agents-key' } }, maxPerInstance: 1, select: { limit: 100 } } } })
const ofAHub = aTrainingRun({ data: { trajectories: { hub: { repo: 'team/runs', folder: 'best', tokenSecretRef: { name: 'hub-token' } }, onlyResolved: false, style: 'Ticks', allowEvaluationSets: true } } })
const ofAConfigMap = aTrainingRun({ data: { trajectories: { configMap: { name: 'runs', key: 'a.traj' }, onlyResolved: false } } })

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
const compared = aTrainingRun(comparison)
const published = aTrainingRun({ ...gpuRuns['aks-spot-hub'], publish: { hub: { repo: 'team/tuned', endpoint: 'https://hub.example.com', tokenSecretRef: { name: 'hub-token' } } } })
const publishedOpenly = aTrainingRun({ publish: { hub: { repo: 'team/tuned', private: false, tokenSecretRef: { name: 'hub-token' } } } })
const trained = { attempts: 2, cost: { seconds: 5400, gpuSeconds: 5400, amount: '4.8600', currency: 'USD' }, gate: undefined }
const measured = { evaluation: { name: 'sft-gate', uid: 'u-gate', resolved: 12, total: 40 }, source: { uri: 's3://swe-operator/team/held-out.jsonl', sha256: 'e'.repeat(64) }, instances: 40, resolvedRate: '0.3000', low: '0.1807', high: '0.4543', passed: true, message: 'The result resolves 0.3000.' }
const publish = { hub: { repo: 'team/tuned', tokenSecretRef: { name: 'hub-token' } } }
const heldOut = { evaluation: { instances: { configMap: { name: 'held-out', key: 'rows.jsonl' }, format: 'SWEBench' } } } as const
const byRate = aTrainingRun({ publish, gate: { ...heldOut, minResolvedRate: '0.30' } })
const byComparison = aTrainingRun({ publish, gate: { ...heldOut, noWorseThan: { name: 'base' } } })
const withPullSecret = { ...settings, imagePullSecrets: ['registry'] }

describe('what is created for a run', () => {
  it.each([
    ['inputs-minimal', buildInputs(minimal, resolve(minimal, settings), CA)],
    ['inputs-full', buildInputs(complete, resolve(complete, settings), CA)],
    ['inputs-preferences', buildInputs(compared, resolve(compared, settings), CA)],
    ['inputs-from-run-adapter', buildInputs(adapted, resolve(adapted, settings), CA)],
    ['inputs-from-run-model', buildInputs(whole, resolve(whole, settings), CA)],
    ['inputs-from-eval', buildInputs(resolvedElsewhere, resolve(resolvedElsewhere, settings), CA)],
    ['inputs-trajectories-folder', buildInputs(ofAFolder, resolve(ofAFolder, settings), CA)],
    ['inputs-trajectories-hub', buildInputs(ofAHub, resolve(ofAHub, settings), CA)],
    ['inputs-trajectories-config-map', buildInputs(ofAConfigMap, resolve(ofAConfigMap, settings), CA)],
    ['prepare-job-trajectories', buildPrepareJob(ofAConfigMap, resolve(ofAConfigMap, settings), settings, 1)],
    ['prepare-job-minimal', buildPrepareJob(minimal, resolve(minimal, settings), settings, 1)],
    ['prepare-job-full', buildPrepareJob(complete, resolve(complete, settings), withPullSecret, 2)],
    ['attempt-job-minimal', attemptJob(minimal)],
    ['attempt-job-full', attemptJob(complete, { number: 12, microBatch: 1, budgetSeconds: 7200 }, withPullSecret)],
    ['publish-inputs', buildPublishInputs(published, resolve(published, settings), trained, CA)],
    ['publish-inputs-public', buildPublishInputs(publishedOpenly, resolve(publishedOpenly, settings), { attempts: 1, cost: undefined, gate: undefined }, CA)],
    ['publish-inputs-measured', buildPublishInputs(byRate, resolve(byRate, settings), { ...trained, gate: measured }, CA)],
    ['publish-inputs-compared', buildPublishInputs(byComparison, resolve(byComparison, settings), { ...trained, gate: { evaluation: { name: 'sft-gate' }, resolvedRate: '0.3000', baseline: { name: 'base', difference: '0.0500', pValue: '0.7266' }, passed: true } }, CA)],
    ['publish-job', buildPublishJob(published, resolve(published, settings), settings, 1)],
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
    expect(volumes(buildPrepareJob(compared, resolve(compared, settings), settings, 1))).toEqual(['data-key'])
    expect(volumes(buildPrepareJob(ofAFolder, resolve(ofAFolder, settings), settings, 1))).toEqual(['agents-key'])
    expect(volumes(buildPrepareJob(ofAHub, resolve(ofAHub, settings), settings, 1))).toEqual(['hub-token'])
    expect(volumes(buildPrepareJob(resolvedElsewhere, resolve(resolvedElsewhere, settings), settings, 1))).toEqual([])
    expect([volumes(attemptJob(ofAFolder)), volumes(attemptJob(ofAHub))]).toEqual([[], []])
    expect(volumes(attemptJob(complete))).toEqual(['model-key'])
    expect([volumes(attemptJob(adapted)), volumes(attemptJob(whole))]).toEqual([['token'], []])
  })

  it('has a name that no other run takes for its own', () => {
    const names = ['x', 'x-publish', 'x-inputs', 'x-inputs-publish'].flatMap((name) => {
      const run = { ...published, metadata: { ...published.metadata, name } }
      const resolved = resolve(run, settings)
      return [buildInputs(run, resolved, CA), buildPublishInputs(run, resolved, trained, CA)].map(({ metadata }) => metadata.name)
    })
    expect(new Set(names).size).toBe(names.length)
  })

  it('gives the token that may write to a hub to the publication alone, and no other', () => {
    const volumes = (job: ReturnType<typeof buildAttemptJob>) => job.spec.template.spec?.volumes?.flatMap(({ secret }) => secret?.secretName ?? [])
    expect(volumes(buildPublishJob(published, resolve(published, settings), settings, 1))).toEqual(['hub-token'])
    expect([...(volumes(buildPrepareJob(published, resolve(published, settings), settings, 1)) ?? []), ...(volumes(attemptJob(published)) ?? [])]).not.toContain('hub-token')
  })

  it('never lets Kubernetes start a second pod by itself', () => {
    const { backoffLimit, podReplacementPolicy, podFailurePolicy, template } = attemptJob(minimal).spec
    expect({ backoffLimit, podReplacementPolicy, restart: template.spec?.restartPolicy }).toEqual({ backoffLimit: 0, podReplacementPolicy: 'Failed', restart: 'Never' })
    expect(podFailurePolicy?.rules.map(({ action }) => action)).toEqual(['FailJob', 'FailJob'])
  })

  it('fits the limit of 63 characters for the longest name a run may have', () => {
    const long = { ...minimal, metadata: { ...minimal.metadata, name: 'a'.repeat(52) } }
    const names = [buildPrepareJob(long, resolve(long, settings), settings, 99), buildPublishJob(long, resolve(long, settings), settings, 99), attemptJob(long, { number: 999 })].map(({ metadata }) => metadata.name.length)
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
