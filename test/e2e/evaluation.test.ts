// Real sandboxes: the fixture instances, their gold patches, and predictions that something is the matter with.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { SWEBenchEval } from '../../crds/swebench-eval.ts'
import { instancesDirectory } from '../cluster/instance-images.ts'
import { fixtureEval, resultsOf, shipInstances, shipPredictions, untilEvalIs, type Result } from '../world/evaluations.ts'
import { ensureNamespace } from '../world/site.ts'
import { stage } from './stage.ts'

const NAMESPACE = 'e2e-evaluations'
const SECONDS = 900

const expectedSchema = z.object({
  predictions: z.array(z.looseObject({ file: z.string(), instance: z.string(), sample: z.int().optional(), name: z.string(), states: z.array(z.string()) })),
})
const { predictions } = expectedSchema.parse(JSON.parse(await readFile(join(instancesDirectory, 'expected.json'), 'utf8')))

describe('evaluating predictions', () => {
  const { site } = stage()
  const place = { site, namespace: NAMESPACE }

  beforeAll(async () => {
    await site.kube.run(['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait', '--timeout=180s'])
    await ensureNamespace(site.kube, NAMESPACE, 'baseline')
    await shipInstances(place, () => undefined)
  })

  it.each([
    ['gold', 'predictions.gold.jsonl'],
    ['no-op', 'predictions.no-op.jsonl'],
    ['traps', 'predictions.traps.jsonl'],
  ])('ends as the official harness says, prediction by prediction: %s', async (name, file) => {
    await shipPredictions(place, name, file)
    await site.kube.apply(fixtureEval(name, NAMESPACE, { predictions: { configMap: { name: `predictions-${name}`, key: 'predictions.jsonl' } } }))
    const evaluation = await untilEvalIs(place, name, 'Succeeded', SECONDS)
    const got = new Map((await resultsOf(site, evaluation)).map((result) => [keyOf(result), result]))
    const wanted = predictions.filter((one) => one.file === file && !['UnknownId', 'Duplicate'].includes(one.states[0] ?? ''))
    expect(wanted.length).toBeGreaterThan(0)
    const wrong = wanted.filter((one) => !one.states.includes(got.get(keyOf(one))?.state ?? 'nothing')).map((one) => `${one.name} on ${one.instance}: ${JSON.stringify(got.get(keyOf(one)))}, not ${one.states.join(' or ')}`)
    expect(wrong).toEqual([])
    expect(await podsOf(evaluation)).toEqual([])
  })

  function keyOf({ instance, sample = 1 }: Readonly<{ instance: string; sample?: number | undefined }> | Result): string {
    return `${instance} ${sample}`
  }

  async function podsOf({ metadata: { name } }: SWEBenchEval): Promise<readonly string[]> {
    const pods = await site.kube.list('pods', { namespace: NAMESPACE, selector: `swe-operator.dev/swebench-eval=${name},swe-operator.dev/role=sandbox` })
    return pods.map((pod) => pod.metadata.name)
  }
})
