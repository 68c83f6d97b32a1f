import { Registry } from 'prom-client'
import { beforeEach, describe, expect, it } from 'vitest'

import { FakeApiServer } from '../../operator/testing/fake-api-server.ts'
import { FakeCache } from '../../operator/testing/fake-cache.ts'
import { createFakeWorld } from '../../operator/testing/fake-world.ts'
import { exposeEvaluationMetrics } from './evaluation-metrics.ts'

let api: FakeApiServer
let metrics: Registry
let leading: boolean

beforeEach(() => {
  ;[api, metrics, leading] = [new FakeApiServer(createFakeWorld()), new Registry(), true]
  exposeEvaluationMetrics({ cache: new FakeCache(api), metrics, isLeading: () => leading })
})

const put = (status: object) => api.put({ apiVersion: 'swe-operator.dev/v1alpha1', kind: 'SWEBenchEval', metadata: { namespace: 'team', name: 'lite', uid: 'u1' }, status })
const counts = (more: object) => ({ total: 10, resolved: 0, unresolved: 0, error: 0, emptyPatch: 0, incomplete: 0, infrastructureRetries: 0, ...more })

describe('the metrics of evaluations', () => {
  it('count evaluations by state, with zeroes for the other states', async () => {
    put({ state: 'Running' })
    const text = await metrics.metrics()
    expect(text).toContain('swe_operator_evaluations{state="Running"} 1')
    expect(text).toContain('swe_operator_evaluations{state="Failed"} 0')
  })

  it('count each verdict once, and what the cluster lost apart from it', async () => {
    put({ state: 'Running', counts: counts({ resolved: 2, infrastructureRetries: 1 }) })
    put({ state: 'Running', counts: counts({ resolved: 5, error: 1, infrastructureRetries: 3, cached: 2 }) })
    const text = await metrics.metrics()
    expect(text).toContain('swe_operator_verdicts_total{state="resolved"} 3')
    expect(text).toContain('swe_operator_verdicts_total{state="error"} 1')
    expect(text).toContain('swe_operator_sandboxes_lost_total 2')
    expect(text).toContain('swe_operator_verdicts_cached_total 2')
  })

  it('count nothing of a dry run among verdicts', async () => {
    put({ state: 'Running' })
    put({ state: 'Running', dryRun: { submitted: 4, checked: 3, ok: 2, doesNotParse: 0, doesNotApply: 1, doesNotCompile: 0, overLimits: 1, emptyPatches: 0, unchecked: 0 } })
    const text = await metrics.metrics()
    expect(text.match(/^swe_operator_verdicts_total.*[1-9]$/gm)).toBeNull()
    expect(text).not.toContain('swe_operator_evaluation_predictions{')
  })

  it('show how far an evaluation is until it ends', async () => {
    put({ state: 'Running', counts: counts({ resolved: 4 }), progress: { percent: 40, running: 2, waiting: 4, etaSeconds: 90 }, baseline: { instances: 5, valid: 2, goldFails: 1, noOpResolves: 1, unknown: 1 } })
    expect(await metrics.metrics()).toContain('swe_operator_evaluation_eta_seconds{namespace="team",name="lite"} 90')
    expect(await metrics.metrics()).toContain('swe_operator_evaluation_invalid_instances{namespace="team",name="lite"} 2')
    put({ state: 'Succeeded', counts: counts({ resolved: 4 }) })
    expect(await metrics.metrics()).not.toContain('swe_operator_evaluation_resolved{')
  })

  it('are the leader’s to tell', async () => {
    leading = false
    put({ state: 'Running', counts: counts({}) })
    put({ state: 'Running', counts: counts({ resolved: 1 }) })
    const text = await metrics.metrics()
    expect(text).not.toContain('swe_operator_evaluations{')
    expect(text).toContain('swe_operator_verdicts_total{state="resolved"} 0')
  })
})
