import type { S3Source } from '../../../crds/common.ts'
import type { TrainingRun } from '../../../crds/training-run.ts'
import { ownedBy } from '../../../operator/meta/owner.ts'
import type { ConfigMap } from '../../shared/kinds.ts'
import { runLabels } from '../../shared/labels.ts'
import type { Resolved } from '../resolve.ts'

export const DATA_FOLDER = '/etc/swe-operator-data'

export function inputsName(run: TrainingRun): string {
  return `${run.metadata.name}-inputs`
}

/** What the programs of a run are told: the run with every default filled in, and whom to trust. */
export function buildInputs(run: TrainingRun, resolved: Resolved, caBundle: string): ConfigMap {
  const { namespace = '' } = run.metadata
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name: inputsName(run), labels: runLabels(run), ownerReferences: [ownedBy(run)] },
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
    model: buildS3(spec.model.s3),
    data: buildData(spec.data, resolved),
    split: { trainPercent: resolved.trainPercent, by: resolved.splitBy, seed: resolved.splitSeed },
    sequence: { maxLength: resolved.maxLength },
    lora: { rank: resolved.loraRank, alpha: resolved.loraAlpha, dropout: resolved.loraDropout, targetModules: resolved.targetModules.split(',') },
    optimizer: {
      learningRate: resolved.learningRate,
      scheduler: resolved.scheduler,
      warmupRatio: resolved.warmupRatio,
      weightDecay: resolved.weightDecay,
    },
    batch: { perDevice: resolved.perDevice, gradientAccumulation: resolved.gradientAccumulation },
    duration: spec.duration.maxSteps === undefined ? { epochs: spec.duration.epochs } : { maxSteps: spec.duration.maxSteps },
    evaluation: spec.evaluation === undefined ? null : { everySteps: spec.evaluation.everySteps },
    checkpoint: { everySteps: resolved.checkpointEverySteps, keep: resolved.checkpointKeep },
    logging: { everySteps: loggingSteps(spec.duration.maxSteps) },
  }
}

const FINE_LOG_STEPS = 1000 // up to here every step is logged, so that the loss of a small run is a curve and not a point
const COARSE_LOG_EVERY = 10

function loggingSteps(maxSteps: number | undefined): number {
  return maxSteps === undefined || maxSteps <= FINE_LOG_STEPS ? 1 : COARSE_LOG_EVERY
}

function buildData({ instances, files }: TrainingRun['spec']['data'], { selectSeed }: Resolved): Readonly<Record<string, unknown>> {
  if (instances) {
    const { instanceIds, repos, limit } = instances.select ?? {}
    return {
      kind: 'Instances',
      source: buildSource(instances),
      format: instances.format,
      promptStyle: instances.promptStyle ?? 'Pro',
      select: { instanceIds, repos, limit, seed: selectSeed },
    }
  }
  return { kind: 'Files', source: files && buildSource(files), format: files?.format, select: { limit: files?.select?.limit, seed: selectSeed } }
}

type Source = Readonly<{ configMap?: Readonly<{ key: string }> | undefined; s3?: S3Source | undefined }>

function buildSource({ configMap, s3 }: Source): Readonly<Record<string, unknown>> | undefined {
  return configMap ? { configMapFile: `${DATA_FOLDER}/${configMap.key}` } : s3 && buildS3(s3)
}

function buildS3({ uri, secretRef }: S3Source): Readonly<Record<string, unknown>> {
  return { uri, credentials: secretRef === undefined ? 'OwnPrefix' : 'Secret' }
}
