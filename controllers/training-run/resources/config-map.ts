import type { TrainingRun } from '../../../crds/training-run.ts'
import { ownedBy } from '../../../operator/meta/owner.ts'
import type { ConfigMap } from '../../shared/kinds.ts'
import { childLabels } from '../../shared/labels.ts'
import { buildHub, buildS3, buildSource, DATA_FOLDER } from '../../shared/sources.ts'
import type { Resolved } from '../resolve.ts'

export function inputsName(run: TrainingRun): string {
  return `${run.metadata.name}-inputs`
}

/** What the programs of a run are told: the run with every default filled in, and whom to trust. */
export function buildInputs(run: TrainingRun, resolved: Resolved, caBundle: string): ConfigMap {
  const { namespace = '' } = run.metadata
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name: inputsName(run), labels: childLabels(run), ownerReferences: [ownedBy(run)] },
    data: { 'run.json': `${JSON.stringify(buildRunFile(run, resolved), undefined, 2)}\n`, 'ca.crt': caBundle },
  }
}

/** `run.json`; the programs refuse keys they do not know, so both sides change together. */
function buildRunFile({ metadata, spec }: TrainingRun, resolved: Resolved): Readonly<Record<string, unknown>> {
  return {
    version: 1,
    run: { namespace: metadata.namespace, name: metadata.name, uid: metadata.uid },
    method: spec.method,
    engine: spec.engine,
    seed: resolved.seed,
    model: buildModel(spec.model),
    data: buildData(spec.data, resolved),
    split: { trainPercent: resolved.trainPercent, by: resolved.splitBy, seed: resolved.splitSeed },
    sequence: { maxLength: resolved.maxLength, lossOn: resolved.lossOn },
    lora: buildLora(resolved),
    optimizer: {
      algorithm: resolved.algorithm,
      learningRate: resolved.learningRate,
      scheduler: resolved.scheduler,
      warmupRatio: resolved.warmupRatio,
      weightDecay: resolved.weightDecay,
      maxGradNorm: resolved.maxGradNorm,
    },
    batch: { perDevice: resolved.perDevice, gradientAccumulation: resolved.gradientAccumulation, gradientCheckpointing: resolved.gradientCheckpointing },
    duration: spec.duration.maxSteps === undefined ? { epochs: spec.duration.epochs } : { maxSteps: spec.duration.maxSteps },
    ...buildSchedule(resolved),
    compute: buildCompute(resolved),
    stallAfterSeconds: resolved.stallAfterSeconds,
    engineOptions: spec.engineOptions ?? {},
  }
}

function buildModel({ s3, hub }: TrainingRun['spec']['model']): Readonly<Record<string, unknown>> | undefined {
  if (s3) return { kind: 'S3', ...buildS3(s3) }
  return hub && { kind: 'Hub', ...buildHub(hub) }
}

function buildLora({ fineTuning, loraRank, loraAlpha, loraDropout, targetModules = '' }: Resolved): Readonly<Record<string, unknown>> | null {
  if (fineTuning === 'Full') return null
  const quantization = fineTuning === 'QLoRA' ? 'NF4' : 'None'
  return { rank: loraRank, alpha: loraAlpha, dropout: loraDropout, targetModules: targetModules.split(','), quantization }
}

function buildSchedule(resolved: Resolved): Readonly<Record<string, unknown>> {
  const { earlyStopPatience, earlyStopMinImprovement } = resolved
  const earlyStop = earlyStopPatience === 0 ? null : { patience: earlyStopPatience, minImprovement: earlyStopMinImprovement }
  return {
    evaluation: { strategy: resolved.evaluationStrategy, everySteps: resolved.evaluationEverySteps ?? null, earlyStop },
    checkpoint: {
      strategy: resolved.checkpointStrategy,
      everySteps: resolved.checkpointEverySteps ?? null,
      keep: resolved.checkpointKeep,
      result: resolved.checkpointResult,
    },
    logging: { everySteps: resolved.loggingEverySteps },
  }
}

function buildCompute({ gpusPerNode, gpuName, gpuMemoryGi }: Resolved): Readonly<Record<string, unknown>> {
  return { gpus: gpusPerNode, ranks: Math.max(1, gpusPerNode), gpuName: gpuName ?? null, gpuMemoryGi: gpuMemoryGi ?? null }
}

function buildData({ instances, files }: TrainingRun['spec']['data'], { selectSeed }: Resolved): Readonly<Record<string, unknown>> {
  if (instances) {
    const { limit: _limit, seed: _seed, ...which } = instances.select ?? {}
    return {
      kind: 'Instances',
      source: buildSource(instances, DATA_FOLDER),
      format: instances.format,
      promptStyle: instances.promptStyle ?? 'Pro',
      select: { ...which, limit: instances.select?.limit, seed: selectSeed },
    }
  }
  return { kind: 'Files', source: files && buildSource(files, DATA_FOLDER), format: files?.format, select: { limit: files?.select?.limit, seed: selectSeed } }
}
