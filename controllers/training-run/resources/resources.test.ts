import { dump } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import type { TrainingRunSpec } from '../../../crds/training-run.ts'
import { aTrainingRun, CA, settings } from '../../../test/world/training-run.ts'
import { resolve } from '../resolve.ts'
import { buildAttemptJob, threadsFor } from './attempt-job.ts'
import { buildInputs } from './config-map.ts'
import { buildPrepareJob } from './prepare-job.ts'

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

const minimal = aTrainingRun()
const complete = aTrainingRun(full)
const withPullSecret = { ...settings, imagePullSecrets: ['registry'] }

describe('what is created for a run', () => {
  it.each([
    ['inputs-minimal', buildInputs(minimal, resolve(minimal, settings), CA)],
    ['inputs-full', buildInputs(complete, resolve(complete, settings), CA)],
    ['prepare-job-minimal', buildPrepareJob(minimal, resolve(minimal, settings), settings, 1)],
    ['prepare-job-full', buildPrepareJob(complete, resolve(complete, settings), withPullSecret, 2)],
    ['attempt-job-minimal', buildAttemptJob(minimal, resolve(minimal, settings), settings, 1)],
    ['attempt-job-full', buildAttemptJob(complete, resolve(complete, settings), withPullSecret, 12)],
  ])('is rendered as in golden/%s.yaml', async (name, object) => {
    await expect(dump(object, { lineWidth: -1 })).toMatchFileSnapshot(`golden/${name}.yaml`)
  })

  it('is admitted by the restricted pod security standard', () => {
    const { spec } = buildAttemptJob(minimal, resolve(minimal, settings), settings, 1).spec.template
    expect(spec?.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
    expect(spec?.containers.map(({ securityContext }) => securityContext)).toEqual([
      { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    ])
    expect(spec?.automountServiceAccountToken).toBe(false)
  })

  it('gives the credentials of the data to the preparation alone', () => {
    const volumes = (job: ReturnType<typeof buildAttemptJob>) => job.spec.template.spec?.volumes?.flatMap(({ secret }) => secret?.secretName ?? [])
    expect(volumes(buildPrepareJob(complete, resolve(complete, settings), settings, 1))).toEqual(['data-key', 'model-key'])
    expect(volumes(buildAttemptJob(complete, resolve(complete, settings), settings, 1))).toEqual(['model-key'])
  })

  it('never lets Kubernetes start a second pod by itself', () => {
    const { backoffLimit, podReplacementPolicy, podFailurePolicy, template } = buildAttemptJob(minimal, resolve(minimal, settings), settings, 1).spec
    expect({ backoffLimit, podReplacementPolicy, restart: template.spec?.restartPolicy }).toEqual({ backoffLimit: 0, podReplacementPolicy: 'Failed', restart: 'Never' })
    expect(podFailurePolicy?.rules.map(({ action }) => action)).toEqual(['FailJob', 'FailJob'])
  })

  it('fits the limit of 63 characters for the longest name a run may have', () => {
    const long = { ...minimal, metadata: { ...minimal.metadata, name: 'a'.repeat(52) } }
    const names = [buildPrepareJob(long, resolve(long, settings), settings, 99), buildAttemptJob(long, resolve(long, settings), settings, 999)].map(({ metadata }) => metadata.name.length)
    expect(Math.max(...names)).toBeLessThanOrEqual(63)
  })
})

it.each([['1', 1], ['4', 4], ['1.5', 1], ['500m', 1], ['2500m', 2]])('computes with whole threads: %s cores are %d', (cpu, threads) => {
  expect(threadsFor(cpu)).toBe(threads)
})
