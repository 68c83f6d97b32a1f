// Two linked runs in one file, as a person applies them: imitation first, then a comparison that continues its adapter.
import { readFile } from 'node:fs/promises'
import { load } from 'js-yaml'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { TrainingRun } from '../../crds/training-run.ts'
import { rowsRun, shipRows } from '../world/rows.ts'
import { describeRun, readRun, trainingRun, untilState } from '../world/runs.ts'
import { until } from '../world/until.ts'
import { stage } from './stage.ts'

const PAIRS = 'config/samples/dpo-run'
const FIRST = 'linked-first'
const SECOND = 'linked-second'
const LIMIT_SECONDS = 400

describe('a run that continues another one, applied at once with it', () => {
  const { site, namespace, model } = stage()
  const place = { site, namespace }
  let waiting: TrainingRun
  let first: TrainingRun
  let second: TrainingRun

  beforeAll(async () => {
    await shipRows(place)
    const { spec } = z.object({ spec: z.looseObject({}) }).parse(load(await readFile(`${PAIRS}/training-run.yaml`, 'utf8')))
    const pairs = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'linked-pairs', namespace }, data: { 'rows.jsonl': await readFile(`${PAIRS}/rows.jsonl`, 'utf8') } }
    const comparison = { ...spec, model: { fromRun: { name: FIRST } }, data: { preferences: { configMap: { name: 'linked-pairs', key: 'rows.jsonl' } } }, lora: {}, optimizer: { learningRate: '1e-3' }, duration: { maxSteps: 40 } }
    const file = [trainingRun(SECOND, namespace, comparison), pairs, rowsRun(FIRST, namespace, model)]
    await site.kube.apply(file.map((object) => JSON.stringify(object)).join('\n---\n'))
    waiting = await untilState(place, SECOND, 'WaitingForReference', 60)
    first = await untilState(place, FIRST, 'Succeeded', LIMIT_SECONDS)
    await until(`${SECOND} has taken down what ${FIRST} left`, 180, async () => ((await readRun(place, SECOND))?.status?.fromRun === undefined ? undefined : true), () => describeRun(place, SECOND))
    await site.kube.run(['delete', 'trainingrun', FIRST, '-n', namespace, '--wait'])
    second = await untilState(place, SECOND, 'Succeeded', LIMIT_SECONDS)
  })

  it('waits without a pod, and names what it waits for', () => {
    const ready = waiting.status?.conditions?.find(({ type }) => type === 'Ready')
    expect(ready?.message).toContain(`TrainingRun ${FIRST}`)
    expect(waiting.status?.conditions?.find(({ type }) => type === 'Stalled')?.status).toBe('False')
  })

  it('keeps what the first one left, and ends though that one is deleted', async () => {
    expect(await readRun(place, FIRST)).toBeUndefined()
    expect(second.status?.fromRun).toMatchObject({ name: FIRST, uid: first.metadata.uid, adapter: { rank: 8, alpha: 16, base: { s3: { uri: model } } } })
    const weights = (run: TrainingRun) => run.status?.artifacts?.find(({ name }) => name === 'adapter/adapter_model.safetensors')
    expect(second.status?.fromRun?.files).toContainEqual({ name: 'adapter_model.safetensors', sha256: weights(first)?.sha256 })
    expect(weights(second)?.sha256).not.toBe(weights(first)?.sha256)
  })

  it('takes the shape of its adapter from it, and the model below it', () => {
    expect(second.status?.resolved).toMatchObject({ fineTuning: 'LoRA', loraRank: 8, loraAlpha: 16, targetModules: 'all-linear' })
    expect(second.status?.model).toEqual(first.status?.model)
  })

  it('begins where the first one ended, and learns from there', () => {
    const { margin } = second.status?.preferences ?? {}
    expect(Number(margin?.first)).toBeCloseTo(0, 4)
    expect(Number(margin?.last)).toBeGreaterThan(0)
  })

  it('leaves one adapter, without the copy that was its reference', () => {
    const names = second.status?.artifacts?.map(({ name }) => name) ?? []
    expect(names.filter((name) => name.endsWith('.safetensors'))).toEqual(['adapter/adapter_model.safetensors'])
  })
})
