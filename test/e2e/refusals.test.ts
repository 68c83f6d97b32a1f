import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { preferenceGen, untilPreferencesAre } from '../world/preferences.ts'
import { rowsRun, shipRows } from '../world/rows.ts'
import { describeRun, readRun, trainingRun } from '../world/runs.ts'
import { until } from '../world/until.ts'
import { manifestOf, nameOf, refusedAtApply, refusedByOperator, refusedByPreparation, type WrongRun } from './refusals.rows.ts'
import { stage } from './stage.ts'

const { site, namespace, model } = stage()
const place = { site, namespace }

beforeAll(() => shipRows(place))

/** What a person reads: the message of Ready once the run says that it needs its author. */
async function complaintOf(name: string): Promise<string> {
  const ready = await until(`${name} says what is wrong`, 300, async () => {
    const conditions = (await readRun(place, name))?.status?.conditions ?? []
    return conditions.some(({ type, status }) => type === 'Stalled' && status === 'True') ? conditions.find(({ type }) => type === 'Ready') : undefined
  }, () => describeRun(place, name))
  expect(ready.status).toBe('False')
  return ready.message
}

async function trainingJobsOf(name: string): Promise<readonly string[]> {
  const jobs = await site.kube.list('jobs', { namespace, selector: `swe-operator.dev/training-run=${name},swe-operator.dev/role=train` })
  return jobs.map(({ metadata }) => metadata.name)
}

describe('a wrong run is refused by kubectl apply for', () => {
  it.each(refusedAtApply)('$what', async (wrong) => {
    const said = await site.kube.apply(manifestOf(wrong, namespace, model)).then(() => 'accepted', String)
    expect(said).toMatch(wrong.field)
    expect(said).toMatch(wrong.remedy)
  })
})

describe.each([
  ['by the operator, without a pod', refusedByOperator],
  ['by its preparation, without a training pod', refusedByPreparation],
])('a wrong run is refused %s, for', (_by, rows: readonly WrongRun[]) => {
  beforeAll(() => Promise.all(rows.map((wrong) => site.kube.apply(manifestOf(wrong, namespace, model)))))

  it.each(rows)('$what', async (wrong) => {
    const said = await complaintOf(nameOf(wrong))
    expect(said).toMatch(wrong.field)
    expect(said).toMatch(wrong.remedy)
    expect(await trainingJobsOf(nameOf(wrong))).toEqual([])
  })

  afterAll(() => site.kube.run(['delete', 'trainingrun', '-n', namespace, '--wait=false', '--ignore-not-found', ...rows.map(nameOf)]))
})

describe('a run waits, and says for what, when it', () => {
  const missingMap = { instances: { configMap: { name: 'no-such-map', key: 'rows.jsonl' }, format: 'SWEBench' } }
  const missingKey = { instances: { configMap: { name: 'swe-bench-rows', key: 'no-such-key' }, format: 'SWEBench' } }

  it.each([
    ['names a ConfigMap that is not there', 'no-map', missingMap, /no-such-map/],
    ['names a key that is not there', 'no-key', missingKey, /no-such-key/],
  ] as const)('%s', async (...[, name, data, message]) => {
    await site.kube.apply(rowsRun(name, namespace, model, { data }))
    await until(`${name} says for what it waits`, 240, async () => {
      const ready = (await readRun(place, name))?.status?.conditions?.find(({ type }) => type === 'Ready')
      return message.test(ready?.message ?? '') && ready?.status === 'False' ? ready : undefined
    }, () => describeRun(place, name))
    await site.kube.run(['delete', 'trainingrun', name, '-n', namespace, '--wait=false'])
  })
})

describe('a run for pairs that are to be sampled from itself', () => {
  const [run, pairs] = ['round-run', 'round-pairs']

  it('says so, as do the pairs, and waits again once those are gone', async () => {
    const learning = { method: 'DPO', engine: 'TRL', model: { s3: { uri: model } }, data: { preferences: { fromPreferenceGen: { name: pairs } } }, lora: {}, duration: { maxSteps: 5 } }
    await site.kube.apply(trainingRun(run, namespace, learning))
    await site.kube.apply(preferenceGen(pairs, namespace, { instances: { configMap: { name: 'swe-bench-rows', key: 'rows.jsonl' }, format: 'SWEBench' }, generation: { model: { fromRun: { name: run } } } }))
    expect(await complaintOf(run)).toContain(`TrainingRun ${run} → PreferenceGen ${pairs} → TrainingRun ${run} wait for each other (spec.data.preferences.fromPreferenceGen).`)
    const { status } = await untilPreferencesAre(place, pairs, 'UnusableReference', 60)
    expect(status?.conditions?.find(({ type }) => type === 'Ready')?.message).toContain(`PreferenceGen ${pairs} → TrainingRun ${run} → PreferenceGen ${pairs}`)
    await site.kube.run(['delete', 'preferencegen', pairs, '-n', namespace, '--wait'])
    await until(`${run} waits again`, 180, async () => ((await readRun(place, run))?.status?.state === 'WaitingForReference' ? true : undefined), () => describeRun(place, run))
    await site.kube.run(['delete', 'trainingrun', run, '-n', namespace, '--wait=false'])
  })
})
