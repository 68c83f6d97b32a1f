import { QUEUE_LABEL } from '../jobs/queue-labels.ts'
import type { TrainingRun, TrainingRunResolved, TrainingRunSpec } from '../../crds/training-run.ts'
import type { Pool } from '../pools/pool.ts'
import { poolOf } from './pool.ts'
import type { Settings } from './settings.ts'

/** What not every run has: a choice of what is learned, a comparison, an adapter, evaluations by steps, a pool, a price, a queue. */
type Particular =
  | 'lossOn' | 'dpoBeta' | 'dpoLossType' | 'dpoLabelSmoothing' | 'dpoReferenceLogProbs'
  | 'loraRank' | 'loraAlpha' | 'loraDropout' | 'targetModules'
  | 'evaluationEverySteps' | 'earlyStopMinImprovement' | 'checkpointEverySteps'
  | 'pool' | 'gpuName' | 'gpuMemoryGi' | 'sharedMemory' | 'pricePerGPUHour' | 'pricePerPodHour' | 'currency' | 'queueName'

type Shown<Field extends keyof TrainingRunResolved> = NonNullable<TrainingRunResolved[Field]>

export type Resolved = Readonly<
  { [Field in Exclude<keyof TrainingRunResolved, Particular>]-?: Shown<Field> } & { [Field in Particular]?: Shown<Field> }
>

/**
 * The values in force. What the status already shows stays, so that an operator with other defaults
 * does not change a run in the middle.
 */
export function resolve(run: TrainingRun, settings: Pick<Settings, 'pools' | 'currency'>): Resolved {
  const { spec } = run
  const pool = poolOf(run, settings.pools)
  return {
    ...resolveData(spec),
    ...resolveModel(run),
    ...resolveLoss(spec),
    ...resolveTraining(spec, pool),
    ...resolveSchedule(spec),
    ...resolveCompute(run, pool, settings.currency),
    gracePeriodSeconds: spec.gracePeriodSeconds ?? 120,
    retryLimit: spec.retries?.limit ?? 3,
    stallAfterSeconds: spec.retries?.stallAfterSeconds ?? 1800,
    ...frozen(run),
  }
}

function resolveData({ seed = 42, data, split }: TrainingRunSpec) {
  const { select } = data.instances ?? data.files ?? data.preferences ?? data.trajectories ?? {}
  return {
    seed,
    selectSeed: select?.seed ?? seed,
    trainPercent: split?.trainPercent ?? 90,
    splitBy: split?.by ?? 'Instance',
    splitSeed: split?.seed ?? seed,
  }
}

const NEW_ADAPTER = { rank: 16, alpha: 32, targetModules: 'all-linear' }

/** An adapter that is continued keeps its shape, which is unknown until the run that left it is complete. */
function resolveModel({ spec: { method, lora, model }, status }: TrainingRun) {
  if (lora === undefined) return { fineTuning: 'Full' }
  const isOpen = model.fromRun !== undefined && status?.fromRun === undefined
  const shape: Partial<typeof NEW_ADAPTER> = isOpen ? {} : (status?.fromRun?.adapter ?? NEW_ADAPTER)
  const { rank = shape.rank, alpha = shape.alpha } = lora
  const targetModules = lora.targetModules?.join(',') ?? shape.targetModules
  return {
    fineTuning: lora.quantization === 'NF4' ? 'QLoRA' : 'LoRA',
    loraDropout: lora.dropout ?? (method === 'DPO' ? '0' : '0.05'),
    ...(rank === undefined ? {} : { loraRank: rank }),
    ...(alpha === undefined ? {} : { loraAlpha: alpha }),
    ...(targetModules === undefined ? {} : { targetModules }),
  }
}

/** What is learned: the tokens of an answer, or to tell two answers from each other. */
function resolveLoss({ method, data, sequence, dpo }: TrainingRunSpec) {
  const { trajectories } = data
  const areTold = trajectories !== undefined && (trajectories.fromEval === undefined || trajectories.style !== undefined)
  const hasConversations = data.files?.format === 'Messages' || areTold
  if (method === 'SFT') return { lossOn: sequence?.lossOn ?? (hasConversations ? 'All' : 'Completion') }
  const lossType = dpo?.lossType ?? 'Sigmoid'
  return {
    dpoBeta: dpo?.beta ?? '0.1',
    dpoLossType: lossType,
    ...(lossType === 'Robust' ? { dpoLabelSmoothing: dpo?.labelSmoothing ?? '0.1' } : {}),
    dpoReferenceLogProbs: dpo?.referenceLogProbs ?? 'EveryStep',
  }
}

// Those of DPO are the ones of the alignment handbook: zephyr-7b-beta in full, and as a LoRA.
const LEARNING_RATES = { SFT: { full: '2e-5', adapter: '2e-4' }, DPO: { full: '5e-7', adapter: '5e-6' } }

function resolveTraining({ method, lora, optimizer, batch, sequence }: TrainingRunSpec, pool: Pool | undefined) {
  return {
    algorithm: optimizer?.algorithm ?? 'AdamW',
    learningRate: optimizer?.learningRate ?? LEARNING_RATES[method][lora === undefined ? 'full' : 'adapter'],
    scheduler: optimizer?.scheduler ?? 'Cosine',
    warmupRatio: optimizer?.warmupRatio ?? '0.03',
    weightDecay: optimizer?.weightDecay ?? '0',
    maxGradNorm: optimizer?.maxGradNorm ?? '1.0',
    perDevice: batch?.perDevice ?? 1,
    gradientAccumulation: batch?.gradientAccumulation ?? 4,
    gradientCheckpointing: batch?.gradientCheckpointing ?? pool?.gpu !== undefined,
    maxLength: sequence?.maxLength ?? 2048,
  }
}

const FINE_LOG_STEPS = 1000 // up to here every step is logged, so that the loss of a small run is a curve and not a point
const COARSE_LOG_EVERY = 10

function resolveSchedule({ evaluation, checkpoint, logging, duration: { maxSteps = 0 } }: TrainingRunSpec) {
  const byDefault = evaluation?.everySteps === undefined ? 'Epoch' : 'Steps'
  const checkpointStrategy = checkpoint?.strategy ?? 'Steps'
  return {
    evaluationStrategy: evaluation === undefined ? 'No' : (evaluation.strategy ?? byDefault),
    ...(evaluation?.everySteps === undefined ? {} : { evaluationEverySteps: evaluation.everySteps }),
    earlyStopPatience: evaluation?.earlyStop?.patience ?? 0,
    ...(evaluation?.earlyStop === undefined ? {} : { earlyStopMinImprovement: evaluation.earlyStop.minImprovement ?? '0' }),
    checkpointStrategy,
    ...(checkpointStrategy === 'Steps' ? { checkpointEverySteps: checkpoint?.everySteps ?? 50 } : {}),
    checkpointKeep: checkpoint?.keep ?? 3,
    checkpointResult: checkpoint?.result ?? 'Last',
    loggingEverySteps: logging?.everySteps ?? (maxSteps <= FINE_LOG_STEPS ? 1 : COARSE_LOG_EVERY),
  }
}

const CPUS_PER_GPU = 8 // clouds give an A100 12 or more, of which the node itself needs some
const MEMORY_GI_PER_GPU = 64 // of 85 GiB (a2-highgpu) to 170 GiB (a2-ultragpu)

function resolveCompute({ metadata, spec: { compute } }: TrainingRun, pool: Pool | undefined, currency: string) {
  const gpusPerNode = compute?.gpusPerNode ?? (pool?.gpu === undefined ? 0 : 1)
  const queueName = compute?.queueName ?? metadata.labels?.[QUEUE_LABEL]
  return {
    gpusPerNode,
    cpu: String(compute?.cpu ?? Math.max(1, gpusPerNode * CPUS_PER_GPU)),
    memory: compute?.memory ?? (gpusPerNode === 0 ? '4Gi' : `${gpusPerNode * MEMORY_GI_PER_GPU}Gi`),
    ...(gpusPerNode === 0 ? {} : { sharedMemory: compute?.sharedMemory ?? '8Gi' }),
    ...(queueName === undefined ? {} : { queueName }),
    ...(pool === undefined ? {} : resolvePool(pool, currency)),
  }
}

/** Frozen with the rest: a price that changes later is the price of later runs. */
function resolvePool({ name, gpu, pricePerGPUHour, pricePerPodHour }: Pool, currency: string) {
  return {
    pool: name,
    ...(gpu === undefined ? {} : { gpuName: gpu.product, gpuMemoryGi: gpu.memoryGi }),
    ...(pricePerGPUHour === undefined ? {} : { pricePerGPUHour, currency }),
    ...(pricePerPodHour === undefined ? {} : { pricePerPodHour, currency }),
  }
}

/** A run whose pool was unknown when it was first seen has not been resolved yet: its defaults depend on the pool. */
function frozen({ spec: { compute }, status }: TrainingRun): Partial<Resolved> {
  if (compute?.pool !== undefined && compute.pool !== status?.resolved?.pool) return {}
  const known = Object.entries(status?.resolved ?? {}).filter(([, value]) => value !== undefined)
  return Object.fromEntries(known)
}
