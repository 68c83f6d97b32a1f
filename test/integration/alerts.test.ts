// Alerts and metrics as Prometheus' own tool reads them. No cluster is needed.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { Registry } from 'prom-client'
import { beforeAll, describe, expect, it } from 'vitest'
import { exposeRunMetrics } from '../../controllers/metrics/run-metrics.ts'
import { FakeApiServer } from '../../operator/testing/fake-api-server.ts'
import { FakeCache } from '../../operator/testing/fake-cache.ts'
import { createFakeWorld } from '../../operator/testing/fake-world.ts'
import { run } from '../cluster/exec.ts'
import { complaintsAbout, ensurePromtool } from '../cluster/promtool.ts'

const alertsFile = join(import.meta.dirname, '../../charts/swe-operator/files/alerts.yaml')
const testsFile = join(import.meta.dirname, 'alerts.tests.yaml')

type Rules = Readonly<{ groups: readonly Readonly<{ rules: readonly Readonly<{ alert: string }>[] }>[] }>
type Tests = Readonly<{ tests: readonly Readonly<{ alert_rule_test: readonly Readonly<{ alertname: string; exp_alerts: readonly object[] }>[] }>[] }>

let promtool: string
beforeAll(async () => {
  promtool = await ensurePromtool()
})

describe('the alerts', () => {
  it('are rules that Prometheus accepts', async () => {
    expect(await run(promtool, ['check', 'rules', alertsFile])).toContain('SUCCESS')
  })

  it('say what alerts.tests.yaml expects', async () => {
    expect(await run(promtool, ['test', 'rules', testsFile])).toContain('SUCCESS')
  })

  it('are each seen to fire and to keep quiet', () => {
    const rules = load(readFileSync(alertsFile, 'utf8')) as Rules
    const seen = (load(readFileSync(testsFile, 'utf8')) as Tests).tests.flatMap((test) => test.alert_rule_test)
    const namesOf = (fires: readonly { alertname: string }[]) => [...new Set(fires.map(({ alertname }) => alertname))].sort()
    const all = rules.groups.flatMap((group) => group.rules.map(({ alert }) => alert)).sort()
    expect(namesOf(seen.filter(({ exp_alerts }) => exp_alerts.length > 0))).toEqual(all)
    expect(namesOf(seen.filter(({ exp_alerts }) => exp_alerts.length === 0))).toEqual(all)
  })
})

describe('the metrics of runs', () => {
  it('are text that Prometheus reads, under names it would choose, also with a loss that is no number', async () => {
    const [world, metrics] = [createFakeWorld(), new Registry()]
    const api = new FakeApiServer(world)
    exposeRunMetrics({ cache: new FakeCache(api), metrics, world, isLeading: () => true, book: { of: () => undefined, paceOf: () => undefined } })
    const losses = [{ name: 'loss', value: 'nan' }, { name: 'eval_loss', value: 'inf' }]
    const status = {
      state: 'Running', attempts: [{ number: 1, state: 'Running' }], cost: { seconds: 1, gpuSeconds: 1, amount: '0.1', currency: 'USD', budgetUsedPercent: 3 },
      progress: { attempt: 1, step: 3, totalSteps: 9, percent: 33, updatedTime: world.now().toISOString(), metrics: losses },
    }
    api.put({ apiVersion: 'swe-operator.dev/v1alpha1', kind: 'TrainingRun', metadata: { namespace: 'team', name: 'tiny', uid: 'u' }, status })
    const text = await metrics.metrics()
    expect(text.match(/name="tiny"/g)).toHaveLength(11)
    expect(await complaintsAbout(text)).toEqual([])
  })

  it('would be told of by promtool if they were not', async () => {
    expect(await complaintsAbout('# TYPE steps_milliseconds gauge\nsteps_milliseconds 1\n')).not.toEqual([])
    await expect(complaintsAbout('no metrics at all\n')).rejects.toThrow('error while linting')
  })
})
