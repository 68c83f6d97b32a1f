import type { TrainingRun, TrainingRunSpec } from '../../../crds/training-run.ts'
import { inputsOf } from '../../jobs/inputs.ts'
import type { ConfigMap } from '../../shared/kinds.ts'
import { buildAdapter, buildModel } from '../../shared/models.ts'
import { buildFolderSource, buildS3, buildSource, DATA_FOLDER } from '../../shared/sources.ts'
import { modelSource } from '../model-source.ts'
import type { Resolved } from '../resolve.ts'

type Trajectories = NonNullable<TrainingRunSpec['data']['trajectories']>

export function inputsName(run: TrainingRun): string {
  return `${run.metadata.name}-inputs`
}

/** What the programs of a run are told: the run with every default filled in, and whom to trust. */
export function buildInputs(run: TrainingRun, resolved: Resolved, caBundle: string): ConfigMap {
  return inputsOf(run, { name: inputsName(run), file: buildRunFile(run, resolved), caBundle })
}

/** As the training is told of it. */
export function buildRunFile(run: TrainingRun, resolved: Resolved): Readonly<Record<string, unknown>> {
  const { metadata, spec } = run
  return {
    version: 1,
    run: { namespace: metadata.namespace, name: metadata.name, uid: metadata.uid },
    method: spec.method,
    engine: spec.engine,
    seed: resolved.seed,
    model: buildModel(modelSource(run)),
    adapter: buildAdapter(run.status?.fromRun),
    data: buildData(run, resolved),
    split: { trainPercent: resolved.trainPercent, by: resolved.splitBy, seed: resolved.splitSeed },
    sequence: { maxLength: resolved.maxLength, lossOn: resolved.lossOn },
    dpo: buildDPO(resolved),
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

function buildLora({ fineTuning, loraRank, loraAlpha, loraDropout, targetModules = '' }: Resolved): Readonly<Record<string, unknown>> | null {
  if (fineTuning === 'Full') return null
  const quantization = fineTuning === 'QLoRA' ? 'NF4' : 'None'
  return { rank: loraRank, alpha: loraAlpha, dropout: loraDropout, targetModules: targetModules.split(','), quantization }
}

/** Absent where nothing is compared. */
function buildDPO({ dpoBeta, dpoLossType, dpoLabelSmoothing, dpoReferenceLogProbs }: Resolved): Readonly<Record<string, unknown>> | undefined {
  if (dpoLossType === undefined) return undefined
  return { beta: dpoBeta, lossType: dpoLossType, labelSmoothing: dpoLabelSmoothing ?? '0', referenceLogProbs: dpoReferenceLogProbs }
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

function buildData({ spec: { data: { instances, files, preferences, trajectories } }, status }: TrainingRun, { selectSeed }: Resolved): Readonly<Record<string, unknown>> {
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
  if (preferences) {
    const source = buildFrozen(status?.fromPreferenceGen) ?? buildSource(preferences, DATA_FOLDER)
    return { kind: 'Preferences', source, format: 'Preferences', select: { limit: preferences.select?.limit, seed: selectSeed } }
  }
  if (trajectories) {
    return { kind: 'Trajectories', ...buildTrajectories(trajectories, status), select: { limit: trajectories.select?.limit, seed: selectSeed } }
  }
  return { kind: 'Files', source: files && buildSource(files, DATA_FOLDER), format: files?.format, select: { limit: files?.select?.limit, seed: selectSeed } }
}

const ROWS_PER_INSTANCE = 3 // as SWE-smith keeps

function buildTrajectories(trajectories: Trajectories, status: TrainingRun['status']): Readonly<Record<string, unknown>> {
  const { fromEval, onlyResolved = true, maxPerInstance = ROWS_PER_INSTANCE, style, allowEvaluationSets = false } = trajectories
  if (fromEval) return { source: buildFrozen(status?.fromEval), format: 'Resolved', resolved: { maxPerInstance, style, allowEvaluationSets } }
  return {
    source: buildFolderSource(trajectories, DATA_FOLDER),
    format: 'Trajectory',
    folder: { maxPerInstance, style: style ?? 'XML', allowEvaluationSets, onlyResolved },
  }
}

function buildFrozen(file: Readonly<{ uri: string; sha256: string }> | undefined): Readonly<Record<string, unknown>> | undefined {
  return file && { ...buildS3({ uri: file.uri }), sha256: file.sha256 }
}
