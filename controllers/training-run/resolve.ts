import type { TrainingRun, TrainingRunResolved } from '../../crds/training-run.ts'

export type Resolved = Readonly<{ [Field in keyof TrainingRunResolved]-?: NonNullable<TrainingRunResolved[Field]> }>

/**
 * The values in force. What the status already shows stays, so that an operator with other defaults
 * does not change a run in the middle.
 */
export function resolve({ spec, status }: TrainingRun): Resolved {
  const seed = spec.seed ?? 42
  const select = spec.data.instances?.select ?? spec.data.files?.select
  return {
    seed,
    selectSeed: select?.seed ?? seed,
    trainPercent: spec.split?.trainPercent ?? 90,
    splitBy: spec.split?.by ?? 'Instance',
    splitSeed: spec.split?.seed ?? seed,
    ...resolveTraining(spec),
    cpu: String(spec.compute?.cpu ?? '1'),
    memory: spec.compute?.memory ?? '4Gi',
    gracePeriodSeconds: spec.gracePeriodSeconds ?? 120,
    retryLimit: spec.retries?.limit ?? 3,
    ...frozen(status?.resolved),
  }
}

function resolveTraining({ lora, optimizer, batch, sequence, checkpoint }: TrainingRun['spec']) {
  return {
    loraRank: lora.rank ?? 16,
    loraAlpha: lora.alpha ?? 32,
    loraDropout: lora.dropout ?? '0.05',
    targetModules: (lora.targetModules ?? ['all-linear']).join(','),
    learningRate: optimizer?.learningRate ?? '2e-4',
    scheduler: optimizer?.scheduler ?? 'Cosine',
    warmupRatio: optimizer?.warmupRatio ?? '0.03',
    weightDecay: optimizer?.weightDecay ?? '0',
    perDevice: batch?.perDevice ?? 1,
    gradientAccumulation: batch?.gradientAccumulation ?? 4,
    maxLength: sequence?.maxLength ?? 2048,
    checkpointEverySteps: checkpoint?.everySteps ?? 50,
    checkpointKeep: checkpoint?.keep ?? 3,
  }
}

function frozen(shown: TrainingRunResolved | undefined): Partial<Resolved> {
  const known = Object.entries(shown ?? {}).filter(([, value]) => value !== undefined)
  return Object.fromEntries(known)
}
