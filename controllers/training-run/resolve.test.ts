import { describe, expect, it } from 'vitest'
import { aTrainingRun, settings } from '../../test/world/training-run.ts'
import { resolve } from './resolve.ts'

describe('the values in force', () => {
  it('are the defaults where the specification is silent', () => {
    expect(resolve(aTrainingRun(), settings)).toEqual({
      seed: 42, selectSeed: 42, trainPercent: 90, splitBy: 'Instance', splitSeed: 42,
      fineTuning: 'LoRA', loraRank: 16, loraAlpha: 32, loraDropout: '0.05', targetModules: 'all-linear',
      algorithm: 'AdamW', learningRate: '2e-4', scheduler: 'Cosine', warmupRatio: '0.03', weightDecay: '0', maxGradNorm: '1.0',
      perDevice: 1, gradientAccumulation: 4, gradientCheckpointing: false, maxLength: 2048, lossOn: 'Completion',
      evaluationStrategy: 'No', earlyStopPatience: 0,
      checkpointStrategy: 'Steps', checkpointEverySteps: 50, checkpointKeep: 3, checkpointResult: 'Last', loggingEverySteps: 1,
      gpusPerNode: 0, cpu: '1', memory: '4Gi', gracePeriodSeconds: 120, retryLimit: 3, stallAfterSeconds: 1800,
    })
  })

  it('derive one seed from another', () => {
    const spec = { seed: 7, split: { trainPercent: 70, seed: 9 } }
    expect(resolve(aTrainingRun(spec), settings)).toMatchObject({ seed: 7, selectSeed: 7, splitSeed: 9, trainPercent: 70 })
  })

  it('are those of a GPU where the pool has one, at the price of today', () => {
    const pools = [{ name: 'a100', gpu: { resource: 'nvidia.com/gpu', product: 'A100 80 GB', memoryGi: 80, perNode: 8 }, nodeSelectorTerms: [], nodeSelector: {}, tolerations: [], env: {}, pricePerGPUHour: '2.5' }]
    expect(resolve(aTrainingRun({ compute: { pool: 'a100', gpusPerNode: 2 } }), { pools, currency: 'EUR' })).toMatchObject({
      pool: 'a100', gpuName: 'A100 80 GB', gpuMemoryGi: 80, gpusPerNode: 2, cpu: '16', memory: '128Gi', sharedMemory: '8Gi',
      gradientCheckpointing: true, pricePerGPUHour: '2.5', currency: 'EUR',
    })
  })

  it('are those of full fine-tuning where there is no adapter', () => {
    const { lora: _, ...spec } = aTrainingRun().spec
    const resolved = resolve({ ...aTrainingRun(), spec }, settings)
    expect(resolved).toMatchObject({ fineTuning: 'Full', learningRate: '2e-5' })
    expect(resolved).not.toHaveProperty('loraRank')
  })

  describe('of a comparison', () => {
    const data = { preferences: { configMap: { name: 'pairs', key: 'rows.jsonl' }, select: { seed: 3 } } }

    it('are those of DPO, with the rates of its published recipes', () => {
      const resolved = resolve(aTrainingRun({ method: 'DPO', data }), settings)
      expect(resolved).toMatchObject({ learningRate: '5e-6', loraDropout: '0', dpoBeta: '0.1', dpoLossType: 'Sigmoid', dpoReferenceLogProbs: 'EveryStep', selectSeed: 3 })
      expect(resolved).not.toHaveProperty('lossOn')
      expect(resolved).not.toHaveProperty('dpoLabelSmoothing')
    })

    it('are lower still for the whole model', () => {
      const { lora: _, ...spec } = aTrainingRun({ method: 'DPO', data }).spec
      expect(resolve({ ...aTrainingRun(), spec }, settings)).toMatchObject({ fineTuning: 'Full', learningRate: '5e-7' })
    })

    it('are what the specification says', () => {
      const dpo = { beta: '0.5', lossType: 'Robust', referenceLogProbs: 'Precomputed' } as const
      expect(resolve(aTrainingRun({ method: 'DPO', data, dpo }), settings)).toMatchObject({ dpoBeta: '0.5', dpoLossType: 'Robust', dpoLabelSmoothing: '0.1', dpoReferenceLogProbs: 'Precomputed' })
    })
  })

  it('take the queue from the label of Kueue as well', () => {
    const run = aTrainingRun()
    const labelled = { ...run, metadata: { ...run.metadata, labels: { 'kueue.x-k8s.io/queue-name': 'night' } } }
    expect(resolve(labelled, settings)).toMatchObject({ queueName: 'night' })
  })

  it('evaluate after each epoch where evaluation says no more', () => {
    expect(resolve(aTrainingRun({ evaluation: {} }), settings)).toMatchObject({ evaluationStrategy: 'Epoch' })
    expect(resolve(aTrainingRun({ evaluation: { everySteps: 20 } }), settings)).toMatchObject({ evaluationStrategy: 'Steps', evaluationEverySteps: 20 })
  })

  it('stay what the status shows when the defaults of a newer operator differ', () => {
    expect(resolve({ ...aTrainingRun(), status: { resolved: { learningRate: '1e-3' } } }, settings)).toMatchObject({ learningRate: '1e-3', loraRank: 16 })
  })
})
