// The sample of method DPO, as a person applies it but for its namespace and its model.
import { readFile } from 'node:fs/promises'
import { load } from 'js-yaml'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { TrainingRun } from '../../crds/training-run.ts'
import { trainingRun, untilState } from '../world/runs.ts'
import { stage } from './stage.ts'

const SAMPLE = 'config/samples/dpo-run'
const NAME = 'preferences'
const LIMIT_SECONDS = 400

describe('a run over pairs of answers', () => {
  const { site, namespace, model } = stage()
  const place = { site, namespace }
  let run: TrainingRun

  beforeAll(async () => {
    const { spec } = z.object({ spec: z.looseObject({}) }).parse(load(await readFile(`${SAMPLE}/training-run.yaml`, 'utf8')))
    await site.kube.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'dpo-rows', namespace }, data: { 'rows.jsonl': await readFile(`${SAMPLE}/rows.jsonl`, 'utf8') } })
    await site.kube.apply(trainingRun(NAME, namespace, { ...spec, model: { s3: { uri: model } } }))
    run = await untilState(place, NAME, 'Succeeded', LIMIT_SECONDS)
  })

  it('holds pairs back, and has no row that it cannot use', () => {
    expect(run.status?.data).toMatchObject({ rows: 40, train: 32, test: 8, badRows: 0 })
  })

  it('comes to prefer the chosen answers, also of pairs that it was not trained on', () => {
    const { accuracy, margin } = run.status?.preferences ?? {}
    expect(Number(accuracy?.evalLast)).toBeGreaterThan(0.9)
    expect(Number(margin?.evalLast)).toBeGreaterThan(Number(margin?.evalFirst))
    expect(Number(margin?.evalLast)).toBeGreaterThan(0)
  })

  it('shows accuracy and margin as it trains', () => {
    expect(run.status?.progress?.metrics?.map(({ name }) => name)).toEqual(expect.arrayContaining(['rewards/accuracies', 'rewards/margins']))
  })

  it('leaves one adapter of its base, and says why there is no perplexity', () => {
    const names = run.status?.artifacts?.map(({ name }) => name) ?? []
    expect(names).toContain('adapter/adapter_model.safetensors')
    expect(names.filter((name) => name.includes('ref/'))).toEqual([])
    expect(run.status?.perplexity?.value).toBeUndefined()
    expect(run.status?.perplexity?.reason).toMatch(/\S/)
  })
})
