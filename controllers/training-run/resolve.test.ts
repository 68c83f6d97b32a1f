import { describe, expect, it } from 'vitest'
import { aTrainingRun } from '../../test/world/training-run.ts'
import { resolve } from './resolve.ts'

describe('the values in force', () => {
  it('are the defaults where the specification is silent', () => {
    expect(resolve(aTrainingRun())).toEqual({
      seed: 42, selectSeed: 42, trainPercent: 90, splitBy: 'Instance', splitSeed: 42,
      loraRank: 16, loraAlpha: 32, loraDropout: '0.05', targetModules: 'all-linear',
      learningRate: '2e-4', scheduler: 'Cosine', warmupRatio: '0.03', weightDecay: '0',
      perDevice: 1, gradientAccumulation: 4, maxLength: 2048, checkpointEverySteps: 50, checkpointKeep: 3,
      cpu: '1', memory: '4Gi', gracePeriodSeconds: 120, retryLimit: 3,
    })
  })

  it('derive one seed from another', () => {
    const spec = { seed: 7, split: { trainPercent: 70, seed: 9 } }
    expect(resolve(aTrainingRun(spec))).toMatchObject({ seed: 7, selectSeed: 7, splitSeed: 9, trainPercent: 70 })
  })

  it('stay what the status shows when the defaults of a newer operator differ', () => {
    expect(resolve({ ...aTrainingRun(), status: { resolved: { learningRate: '1e-3' } } })).toMatchObject({ learningRate: '1e-3', loraRank: 16 })
  })
})
