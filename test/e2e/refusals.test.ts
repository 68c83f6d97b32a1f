import { beforeAll, describe, expect, it } from 'vitest'
import { until } from '../world/until.ts'
import { readRun, describeRun } from '../world/runs.ts'
import { rowsRun, shipRows } from '../world/rows.ts'
import { stage } from './stage.ts'

describe('a run that cannot succeed', () => {
  const { site, namespace, model } = stage()
  const place = { site, namespace }
  beforeAll(() => shipRows(place))

  const foreignUri = { s3: { uri: 's3://swe-operator/someone-else/models/secret' } }
  const missingMap = { instances: { configMap: { name: 'no-such-map', key: 'rows.jsonl' }, format: 'SWEBench' } }
  const missingKey = { instances: { configMap: { name: 'swe-bench-rows', key: 'no-such-key' }, format: 'SWEBench' } }
  const nobody = { instances: { configMap: { name: 'swe-bench-rows', key: 'rows.jsonl' }, format: 'SWEBench', select: { instanceIds: ['no__such-1'] } } }

  it.each([
    ['reads another namespace without a Secret', 'foreign-model', { model: foreignUri }, 'Stalled', /spec\.model\.s3\.(uri|secretRef)/],
    ['selects no instance', 'selects-nobody', { data: nobody }, 'Stalled', /select/],
    ['names a model that is not there', 'no-model', { model: { s3: { uri: `s3://swe-operator/e2e/models/none` } } }, 'Stalled', /model/],
    ['names a ConfigMap that is not there', 'no-map', { data: missingMap }, 'Waiting', /no-such-map/],
    ['names a key that is not there', 'no-key', { data: missingKey }, 'Waiting', /no-such-key/],
  ] as const)('says so when it %s', async (...[, name, more, outcome, message]) => {
    await site.kube.apply(rowsRun(name, namespace, model, more))
    const ready = await until(`${name} says what is wrong`, 120, async () => {
      const conditions = (await readRun(place, name))?.status?.conditions ?? []
      const stalled = conditions.find((one) => one.type === 'Stalled')?.status === 'True'
      const said = conditions.find((one) => one.type === 'Ready')
      return message.test(said?.message ?? '') && (outcome === 'Waiting' || stalled) ? said : undefined
    }, () => describeRun(place, name))
    expect(ready.status).toBe('False')
    await site.kube.run(['delete', 'trainingrun', name, '-n', namespace, '--wait=false'])
  })
})
