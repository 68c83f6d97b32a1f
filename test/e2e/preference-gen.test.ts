// From a model's samples to an adapter: their tests make the pairs, and a run learns from these.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { PreferenceGen } from '../../crds/preference-gen.ts'
import { instancesDirectory } from '../cluster/instance-images.ts'
import { describe as describeResource } from '../world/describe.ts'
import { fixtureEval, FIXTURE_INSTANCES, openEvaluations, reportFileOf, resultsOf, SMALL_SANDBOX, untilEvalIs } from '../world/evaluations.ts'
import { preferenceGen, untilPreferencesAre } from '../world/preferences.ts'
import { rowsRun } from '../world/rows.ts'
import { readRun, trainingRun, untilState } from '../world/runs.ts'
import { makeTinyModel, openNamespace } from '../world/site.ts'
import { storedSamples } from '../world/stored-samples.ts'
import { until } from '../world/until.ts'
import { stage } from './stage.ts'

const NAMESPACE = 'e2e-preferences'
const NAME = 'pairs'
const SECONDS = 400
const SAMPLES = 60 // enough that most are missing when the first ones are stored, however fast the machine is
const CONTRAST = ['andialbrecht__sqlparse-1', 'mahmoud__boltons-1', 'r1chardj0n3s__parse-1']
const HOPELESS = 'jpvanhal__inflection-1'

const newFile = (line: string): string => `diff --git a/new.py b/new.py\nnew file mode 100644\n--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+${line}\n`
const NOT_APPLYING = 'diff --git a/nowhere.py b/nowhere.py\n--- a/nowhere.py\n+++ b/nowhere.py\n@@ -1 +1 @@\n-one\n+two\n'

// An evaluation that the model will be judged by: one of its instances is a fixture, and a sample knows how another is solved.
const JUDGED = 'tkem__cachetools-1'
const KNOWN = newFile('def total(order): return sum(price for price in order.prices)')
const EVALUATION = [{ instance_id: JUDGED }, { instance_id: 'shop__orders-77', repo: 'shop/orders', problem_statement: 'Totals are wrong.', patch: KNOWN }]

const predictionSchema = z.object({ instance_id: z.string(), model_patch: z.string() })
const pairSchema = z.object({ instance_id: z.string(), prompt: z.string(), chosen: z.string(), rejected: z.string() })

/** What a model might have made: gold, the same in other words, two that mend nothing, one that does not apply, one that is empty. */
async function samples(): Promise<readonly object[]> {
  const lines = (await readFile(join(instancesDirectory, 'predictions.gold.jsonl'), 'utf8')).trim().split('\n')
  const gold = new Map(lines.map((line) => predictionSchema.parse(JSON.parse(line))).map((one) => [one.instance_id, one.model_patch]))
  const made = CONTRAST.flatMap((id) => {
    const patch = gold.get(id) ?? ''
    return [patch, patch.replace(/^index .*\n/gm, ''), newFile('answer = 42'), newFile('answer = 43'), NOT_APPLYING, ''].map((model_patch, index) => ({ instance_id: id, model_patch, sample: index + 1 }))
  })
  const others = [[HOPELESS, newFile('answer = 42')], [HOPELESS, KNOWN], [JUDGED, newFile('answer = 42')]] as const
  return [...made, ...others.map(([instance_id, model_patch], index) => ({ instance_id, model_patch, sample: index + 1 }))].map((one) => ({ ...one, model_name_or_path: 'a-model' }))
}

const linesOf = (rows: readonly object[]): string => rows.map((row) => JSON.stringify(row)).join('\n')

describe('samples of a model', () => {
  const { site } = stage()
  const place = { site, namespace: NAMESPACE }
  let made: PreferenceGen
  let pairs: readonly z.infer<typeof pairSchema>[]

  beforeAll(async () => {
    await openEvaluations(place, (line) => console.log(line))
    const data = { 'samples.jsonl': linesOf(await samples()), 'evaluation.jsonl': linesOf(EVALUATION) }
    await site.kube.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'samples', namespace: NAMESPACE }, data })
    await site.kube.apply(preferenceGen(NAME, NAMESPACE, { instances: FIXTURE_INSTANCES, predictions: { configMap: { name: 'samples', key: 'samples.jsonl' } }, decontamination: { against: [{ configMap: { name: 'samples', key: 'evaluation.jsonl' }, format: 'SWEBench' }] }, sandbox: { ...SMALL_SANDBOX, isolation: 'BestEffort' }, parallelism: 4 }))
    made = await untilPreferencesAre(place, NAME, 'Succeeded', SECONDS)
    pairs = (await reportFileOf(site, made, 'preferences.jsonl')).trim().split('\n').map((line) => pairSchema.parse(JSON.parse(line)))
  })

  it('are tested once where they change the same, and again where they resolve', () => {
    expect(made.status?.data).toMatchObject({ instances: 4, samples: 21, uniquePatches: 13, emptyPatches: 3 })
    expect(made.status?.evaluation).toMatchObject({ name: 'pairs-grade', state: 'Succeeded', percent: 100, resolved: 3, total: 13 })
    expect(made.status?.cost?.pods).toBeGreaterThanOrEqual(13 + 3)
  })

  it('are left out where a model will be judged by the same, each by its rule', async () => {
    expect(made.status?.data?.removed).toEqual([{ rule: 'InstanceId', instances: 1, samples: 1 }, { rule: 'SamePatch', instances: 0, samples: 1 }])
    expect(made.status?.data?.decontamination).toMatchObject({ rows: 2, badRows: 0 })
    const named = (await reportFileOf(site, made, 'decontamination.jsonl')).trim().split('\n').map((line) => z.looseObject({}).parse(JSON.parse(line)))
    expect(named).toMatchObject([{ instance_id: JUDGED, sample: null, like: JUDGED }, { instance_id: HOPELESS, sample: 2, like: 'shop__orders-77' }])
  })

  it('become pairs where one resolves and one does not', () => {
    expect(made.status?.counts).toMatchObject({ instances: 4, samples: 19, resolved: 6, allPass: 0, allFail: 1, withPairs: 3, pairs: 6 })
    expect(new Set(pairs.map(({ instance_id }) => instance_id))).toEqual(new Set(CONTRAST))
    const leans = pairs.map(({ chosen, rejected }) => Math.log(chosen.length / rejected.length))
    expect(Number(made.status?.lengthRatio)).toBeCloseTo(Math.exp(leans.reduce((sum, lean) => sum + lean, 0) / leans.length), 3)
    expect(made.status?.dropped).toEqual(expect.arrayContaining([expect.objectContaining({ reason: 'PatchDoesNotApply' }), { reason: 'EmptyPatch', count: 3 }]))
  })

  it('leave pairs that end as they say when they are tested again from the exported file alone', async () => {
    const lines = pairs.flatMap((pair) => (['chosen', 'rejected'] as const).map((side) => ({ instance_id: pair.instance_id, model_name_or_path: side, model_patch: pair[side] })))
    const data = { 'predictions.jsonl': lines.map((line, index) => JSON.stringify({ ...line, sample: index + 1 })).join('\n') }
    await site.kube.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'exported', namespace: NAMESPACE }, data })
    await site.kube.apply(fixtureEval('exported', NAMESPACE, { instances: { ...FIXTURE_INSTANCES, select: { instanceIds: CONTRAST } }, predictions: { configMap: { name: 'exported', key: 'predictions.jsonl' } } }))
    const again = await resultsOf(site, await untilEvalIs(place, 'exported', 'Succeeded', SECONDS))
    const statesOf = (side: string): readonly string[] => again.filter((result) => result.model === side).map((result) => result.state)
    expect([statesOf('chosen'), statesOf('rejected')]).toEqual([Array.from({ length: 6 }, () => 'Resolved'), Array.from({ length: 6 }, () => 'Unresolved')])
  })

  it('teach a run of method DPO what resolves', async () => {
    await openNamespace(place)
    const model = await makeTinyModel(place)
    const { spec } = z.object({ spec: z.looseObject({}) }).parse(load(await readFile('config/samples/dpo-run/training-run.yaml', 'utf8')))
    await site.kube.apply(trainingRun('taught', NAMESPACE, { ...spec, model: { s3: { uri: model } }, data: { preferences: { fromPreferenceGen: { name: NAME } } }, split: { trainPercent: 67 } }))
    const run = await untilState(place, 'taught', 'Succeeded', SECONDS)
    expect(run.status?.fromPreferenceGen).toMatchObject({ name: NAME, uid: made.metadata.uid, pairs: 6 })
    expect(run.status?.data).toMatchObject({ rows: 6, badRows: 0 })
    expect(Number(run.status?.preferences?.margin?.last)).toBeGreaterThan(0)
  })

  it('teach a run of method SFT what their evaluation resolved, though that is deleted', async () => {
    await openNamespace(place)
    const evaluation = made.status?.evaluation?.name ?? ''
    const few = { duration: { maxSteps: 2 }, evaluation: { everySteps: 2 }, checkpoint: { everySteps: 2 } }
    await site.kube.apply(rowsRun('imitates', NAMESPACE, await makeTinyModel(place), { ...few, data: { trajectories: { fromEval: { name: evaluation } } }, split: { trainPercent: 67 } }))
    const frozen = await until('what was resolved is taken down', 180, async () => (await readRun(place, 'imitates'))?.status?.fromEval)
    expect(frozen).toMatchObject({ name: evaluation, uid: made.status?.evaluation?.uid, resolved: 3 })
    await site.kube.run(['delete', 'swebencheval', evaluation, '-n', NAMESPACE, '--wait'])
    const run = await untilState(place, 'imitates', 'Succeeded', SECONDS)
    expect(run.status?.data).toMatchObject({ rows: 3, train: 2, test: 1, badRows: 0, source: { uri: frozen.uri } })
  })
})

describe('a model that a PreferenceGen serves', () => {
  const { site } = stage()
  const place = { site, namespace: NAMESPACE }
  const served = async (name: string): Promise<number> => (await Promise.all(['deployments', 'services', 'networkpolicies'].map((kind) => site.kube.list(kind, { namespace: NAMESPACE, selector: `swe-operator.dev/preference-gen=${name}` })))).flat().length
  const instances = { ...FIXTURE_INSTANCES, select: { instanceIds: [HOPELESS] } }
  let model: string
  const asking = (sampling: object): object => ({ model: { s3: { uri: model } }, sampling, serving: { engine: 'Transformers', resources: { cpu: '500m', memory: '2Gi' } } })

  beforeAll(async () => {
    await openNamespace(place)
    model = await makeTinyModel(place)
  })

  it('is asked for every sample and gone after the last, whatever its answers are worth', async () => {
    await site.kube.apply(preferenceGen('mute', NAMESPACE, { instances, generation: asking({ samplesPerInstance: 2, maxTokens: 24 }) }))
    await until('the model is served', SECONDS, async () => (await served('mute')) === 3)
    const found = await untilPreferencesAre(place, 'mute', 'InvalidData', SECONDS)
    expect(found.status?.generation).toMatchObject({ instances: 1, samples: 2, generated: 2, givenUp: 0, withoutPatch: 2 }) // a random model says nothing that is a diff
    expect(found.status?.generation?.completionTokens).toBeGreaterThan(0)
    expect(found.status?.cost?.servingSeconds).toBeGreaterThan(0)
    await until('nothing of it is served any more', 180, async () => (await served('mute')) === 0)
  })

  it('is gone when the budget is, and once that is raised asked for the samples that are missing alone', async () => {
    const read = async (): Promise<PreferenceGen | undefined> => site.kube.get<PreferenceGen>('preferencegen', 'thrifty', NAMESPACE)
    const allow = async (budget: object | null): Promise<unknown> => site.kube.run(['patch', 'preferencegen', 'thrifty', '-n', NAMESPACE, '--type=merge', '-p', JSON.stringify({ spec: { budget } })])
    await site.kube.apply(preferenceGen('thrifty', NAMESPACE, { instances, generation: asking({ samplesPerInstance: SAMPLES, maxTokens: 96 }), budget: { maxDuration: '1h' } }))
    await until('some samples are stored', SECONDS, async () => {
      const begun = await read()
      return begun !== undefined && (await storedSamples(place, begun)).length > 0
    }, () => describeResource(place, 'preferencegen', 'thrifty'))
    await allow({ maxDuration: '1s' })
    const held = await untilPreferencesAre(place, 'thrifty', 'BudgetExceeded', SECONDS)
    expect(held.status?.conditions?.find(({ type }) => type === 'Stalled')).toMatchObject({ status: 'True', message: expect.stringContaining('of 1s (spec.budget.maxDuration)') })
    await until('nothing of it is served or asked any more', 180, async () => (await served('thrifty')) === 0 && (await site.kube.list('pods', { namespace: NAMESPACE, selector: 'swe-operator.dev/preference-gen=thrifty' })).length === 0)
    const kept = await storedSamples(place, held)
    expect(kept.length).toBeGreaterThan(0)
    expect(kept.length).toBeLessThan(SAMPLES)
    await allow(null)
    await until('it goes on', 180, async () => (await read())?.status?.state !== 'BudgetExceeded')
    const found = await untilPreferencesAre(place, 'thrifty', 'InvalidData', SECONDS)
    expect(found.status?.generation).toMatchObject({ samples: SAMPLES, generated: SAMPLES, givenUp: 0 })
    const stored = await storedSamples(place, found)
    expect([new Set(stored.map((line) => line.split(' ', 2).join(' '))).size, stored.length]).toEqual([SAMPLES, SAMPLES])
    expect(stored).toEqual(expect.arrayContaining([...kept]))
    expect(found.status?.cost?.servingSeconds).toBeGreaterThan(held.status?.cost?.servingSeconds ?? 0)
  })
})
