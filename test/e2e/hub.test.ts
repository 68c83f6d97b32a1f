import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TrainingRun } from '../../crds/training-run.ts'
import { closeHub, commitsOf, HUB_MODEL, HUB_ROWS, HUB_TOKEN_SECRET, HUB_TUNED, openHub } from '../world/local-hub.ts'
import { trainingPod, trainingRun, untilState, untilStep } from '../world/runs.ts'
import { SIMULATED_GPU_POOL } from '../world/simulated-gpu.ts'
import { viewStore } from '../world/store-view.ts'
import { stage } from './stage.ts'

const COMMIT = /^[0-9a-f]{40}$/

describe('full fine-tuning of a gated model from a hub and back to it, on two simulated GPUs, with a pod lost in the middle', () => {
  const { site, namespace } = stage()
  const place = { site, namespace }
  const name = 'from-the-hub'
  let run: TrainingRun
  let endpoint: string

  beforeAll(async () => {
    endpoint = await openHub(place)
    await site.kube.apply(trainingRun(name, namespace, {
      method: 'SFT',
      engine: 'TRL',
      model: { hub: { repo: HUB_MODEL, endpoint, tokenSecretRef: { name: HUB_TOKEN_SECRET } } },
      data: { files: { hub: { repo: HUB_ROWS, endpoint }, format: 'PromptCompletion' } },
      split: { trainPercent: 50 },
      optimizer: { learningRate: '5e-3' },
      batch: { perDevice: 2, gradientAccumulation: 2 },
      duration: { maxSteps: 150 },
      sequence: { maxLength: 128 },
      evaluation: { everySteps: 50, earlyStop: { patience: 3 } },
      checkpoint: { everySteps: 5, result: 'Best' },
      compute: { pool: SIMULATED_GPU_POOL, gpusPerNode: 2, cpu: '1', memory: '3Gi', sharedMemory: '64Mi' },
      budget: { maxGPUHours: '5' },
      gracePeriodSeconds: 60,
      publish: { hub: { repo: HUB_TUNED, endpoint, tokenSecretRef: { name: HUB_TOKEN_SECRET } } },
    }))
    await untilStep(place, name, 6, 400)
    await site.kube.run(['delete', 'pod', (await trainingPod(place, name)).name, '-n', namespace, '--wait=false'])
    run = await untilState(place, name, 'Succeeded', 600)
  })
  afterAll(() => closeHub(place))

  it('reads model and rows at a commit that the status names', () => {
    expect(run.status?.model?.revision).toMatch(COMMIT)
    expect(run.status?.data?.source?.revision).toMatch(COMMIT)
    expect(run.status?.data).toMatchObject({ rows: 60, train: 30, test: 30 })
  })

  it('goes on from the checkpoint of both processes', () => {
    const attempts = run.status?.attempts ?? []
    expect(attempts.map(({ state }) => state)).toEqual(['Preempted', 'Completed'])
    expect(attempts[1]?.fromStep).toBeGreaterThanOrEqual(5)
  })

  it('pays for two GPUs, and the attempts add up to the total', () => {
    const attempts = run.status?.attempts ?? []
    for (const { seconds = 0, gpuSeconds } of attempts) expect(gpuSeconds).toBe(2 * seconds)
    const total = attempts.reduce((sum, { cost }) => sum + Number(cost), 0)
    expect(run.status?.cost).toMatchObject({ currency: 'USD', amount: expect.any(String) })
    expect(Number(run.status?.cost?.amount)).toBeCloseTo(total, 6)
    expect(total).toBeGreaterThan(0)
  })

  it('is complete with the model and its card in one commit of a private repository', async () => {
    const { url, revision = '' } = run.status?.publish ?? {}
    expect([url, revision]).toEqual([`${endpoint}/${HUB_TUNED}`, expect.stringMatching(COMMIT)])
    const commits = await commitsOf(place)
    expect(commits).toEqual([expect.stringContaining(`Commit ${revision} of ${HUB_TUNED} (private): `)])
    const published = run.status?.artifacts?.flatMap(({ name: file }) => (file.startsWith('model/') ? [file.slice('model/'.length)] : [])) ?? []
    expect(commits[0]?.split(': ')[1]?.split(', ')).toEqual(expect.arrayContaining(['README.md', ...published]))
  })

  it('leaves the whole model of the best step, with its perplexity and a report to read', async () => {
    expect(run.status?.artifacts?.map((one) => one.name)).toEqual(expect.arrayContaining(['model/model.safetensors', 'report.html', 'trl.yaml']))
    expect(run.status?.bestCheckpoint?.step).toBeGreaterThan(0)
    const { value, low, high } = run.status?.perplexity ?? {}
    expect(Number(low)).toBeLessThan(Number(value))
    expect(Number(value)).toBeLessThan(Number(high))
    const store = await viewStore(site)
    try {
      const report = run.status?.artifacts?.find((one) => one.name === 'report.html')?.uri ?? ''
      expect((await store.read(report)).toString()).toContain(name)
      expect((await store.read(run.status?.data?.tableUri ?? '')).toString()).toContain('60')
    } finally {
      await store.close()
    }
  })
})
