// From a model to its resolve rate in one resource: it is served, asked once for each sample, gone, and what it said is graded. And a run whose result must hold against that.
import { beforeAll, describe, expect, it } from 'vitest'
import type { SWEBenchEval } from '../../crds/swebench-eval.ts'
import { fixtureEval, FIXTURE_INSTANCES, openEvaluations, readEval, resultsOf, SMALL_SANDBOX, untilEvalIs } from '../world/evaluations.ts'
import { rowsRun, shipRows } from '../world/rows.ts'
import { untilState } from '../world/runs.ts'
import { ensureNamespace, makeTinyModel, openNamespace } from '../world/site.ts'
import { until } from '../world/until.ts'
import { stage } from './stage.ts'

const NAMESPACE = 'e2e-asked'
const NAME = 'asked'
const INSTANCES = ['jpvanhal__inflection-1', 'r1chardj0n3s__parse-1']
const SECONDS = 400
const instances = { ...FIXTURE_INSTANCES, select: { instanceIds: INSTANCES } }
const asked = { sampling: { maxTokens: 24 }, serving: { engine: 'Transformers', resources: { cpu: '500m', memory: '2Gi' } } }

describe('an evaluation of a model', () => {
  const { site } = stage()
  const place = { site, namespace: NAMESPACE }
  const served = async (): Promise<number> => (await Promise.all(['deployments', 'services', 'networkpolicies'].map((kind) => site.kube.list(kind, { namespace: NAMESPACE, selector: 'swe-operator.dev/role=serve' })))).flat().length
  let model: string
  let found: SWEBenchEval

  beforeAll(async () => {
    await openEvaluations(place, (line) => console.log(line))
    await openNamespace(place)
    model = await makeTinyModel(place)
    await ensureNamespace(site.kube, NAMESPACE, 'baseline') // for what probes the sandboxes
    await site.kube.apply(fixtureEval(NAME, NAMESPACE, { instances, predictions: undefined, generation: { ...asked, model: { s3: { uri: model } } } }))
    await until('the model is served', SECONDS, async () => (await served()) === 3)
    found = await untilEvalIs(place, NAME, 'Succeeded', SECONDS)
  })

  it('counts what was asked and answered, and for how long the model was served', async () => {
    expect(found.status?.generation).toMatchObject({ instances: 2, samples: 2, generated: 2, givenUp: 0, withoutPatch: 2 }) // a random model says nothing that is a diff
    expect(found.status?.generation?.completionTokens).toBeGreaterThan(0)
    expect(found.status?.cost?.servingSeconds).toBeGreaterThan(0)
    await until('nothing of it is served any more', 180, async () => (await served()) === 0)
  })

  it('grades what it said by the official rules: an answer without a patch is an empty one', async () => {
    expect(found.status?.data).toMatchObject({ instances: 2, predictions: 2, toRun: 0, emptyPatches: 2 })
    expect(found.status).toMatchObject({ counts: { total: 2, submitted: 2, emptyPatch: 2, resolved: 0 }, resolvedRate: { value: '0.0000' } })
    const results = (await resultsOf(site, found)).toSorted((one, other) => one.instance.localeCompare(other.instance))
    expect(results.map(({ instance, sample, state, model }) => ({ instance, sample, state, model }))).toEqual(INSTANCES.map((instance) => ({ instance, sample: 1, state: 'EmptyPatch', model: '/models/tiny-qwen2' })))
  })

  describe('is what the result of a run is held against before that is complete', () => {
    beforeAll(async () => {
      await shipRows(place)
      const evaluation = { instances, generation: asked, sandbox: { ...SMALL_SANDBOX, isolation: 'BestEffort' } }
      const gates = { gated: { evaluation, noWorseThan: { name: NAME } }, refused: { evaluation, minResolvedRate: '0.50' } }
      for (const [name, gate] of Object.entries(gates)) await site.kube.apply(rowsRun(name, NAMESPACE, model, { duration: { maxSteps: 5 }, evaluation: undefined, gate }))
    })

    it('which it is once it is no worse', async () => {
      const gating = await untilState(place, 'gated', 'Gating', SECONDS)
      expect(gating.status?.conditions?.find(({ type }) => type === 'Complete')?.status).toBe('False')
      const run = await untilState(place, 'gated', 'Succeeded', SECONDS)
      expect(run.status?.gate).toMatchObject({ evaluation: { name: 'gated-gate', state: 'Succeeded', total: 2 }, instances: 2, resolvedRate: '0.0000', low: '0.0000', baseline: { name: NAME, resolvedRate: '0.0000', difference: '0.0000', pValue: '1.0000' }, passed: true })
      const measured = await readEval(place, 'gated-gate')
      expect(measured?.status?.fromRun).toMatchObject({ name: 'gated', uid: run.metadata.uid, adapter: { rank: 8 } })
    })

    it('and never where it resolves less than is asked for: it fails, and keeps its result', async () => {
      const { status } = await untilState(place, 'refused', 'GateFailed', SECONDS)
      expect(status?.gate).toMatchObject({ evaluation: { name: 'refused-gate', state: 'Succeeded' }, resolvedRate: '0.0000', passed: false, message: expect.stringContaining('spec.gate.minResolvedRate asks for 0.50.') })
      expect(status?.conditions?.filter((one) => one.status === 'True').map(({ type }) => type)).toEqual(expect.arrayContaining(['Trained', 'Failed']))
      expect(status?.artifacts?.map(({ name }) => name)).toContain('adapter/adapter_model.safetensors')
    })
  })
})
