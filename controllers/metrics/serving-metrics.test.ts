import { Registry } from 'prom-client'
import { beforeEach, describe, expect, it } from 'vitest'
import { FakeApiServer } from '../../operator/testing/fake-api-server.ts'
import { FakeCache } from '../../operator/testing/fake-cache.ts'
import { createFakeWorld } from '../../operator/testing/fake-world.ts'
import { exposeServingMetrics } from './serving-metrics.ts'

let api: FakeApiServer
let metrics: Registry
let leading: boolean

beforeEach(() => {
  ;[api, metrics, leading] = [new FakeApiServer(createFakeWorld()), new Registry(), true]
  exposeServingMetrics({ cache: new FakeCache(api), metrics, isLeading: () => leading })
})

const put = (kind: string, status: object) => api.put({ apiVersion: 'swe-operator.dev/v1alpha1', kind, metadata: { namespace: 'team', name: 'tiny', uid: `u-${kind}` }, status })
const served = (minutes: number) => ({ pods: 0, cpuSeconds: 0, memoryGiBSeconds: 0, servingSeconds: 60 * minutes, servingGPUSeconds: 120 * minutes, amount: (minutes / 4).toFixed(4), currency: 'USD', budgetUsedPercent: 10 * minutes })

describe.each([['PreferenceGen', 'preference_gen', 'Generating'], ['SWEBenchEval', 'evaluation', 'Generating']])('the metrics of a model that a %s has served', (kind, prefix, state) => {
  const OF_IT = 'namespace="team",name="tiny"'

  it('show what it takes until it ends', async () => {
    put(kind, { state, cost: served(2) })
    const text = await metrics.metrics()
    expect(text).toContain(`swe_operator_${prefix}_serving_seconds{${OF_IT}} 120`)
    expect(text).toContain(`swe_operator_${prefix}_serving_gpu_seconds{${OF_IT}} 240`)
    expect(text).toContain(`swe_operator_${prefix}_cost_amount{${OF_IT},currency="USD"} 0.5`)
    expect(text).toContain(`swe_operator_${prefix}_budget_used_ratio{${OF_IT}} 0.2`)
    put(kind, { state: 'Succeeded', cost: served(3) })
    expect(await metrics.metrics()).not.toContain(OF_IT)
  })

  it('count each second and each cent once, after a restart too', async () => {
    put(kind, { state, cost: served(2) }) // as it is when this process begins to lead
    put(kind, { state, cost: served(3) })
    put(kind, { state: 'Succeeded', cost: served(4) })
    const text = await metrics.metrics()
    expect(text).toContain('swe_operator_serving_node_seconds_total 120')
    expect(text).toContain('swe_operator_serving_gpu_seconds_total 240')
    expect(text).toContain('swe_operator_serving_cost_amount_total{currency="USD"} 0.5')
  })

  it('show no money where there is no price', async () => {
    const { amount: _, currency: __, ...cost } = served(2)
    put(kind, { state, cost })
    expect(await metrics.metrics()).not.toContain(`swe_operator_${prefix}_cost_amount{`)
  })

  it('are the leader’s to tell', async () => {
    leading = false
    put(kind, { state, cost: served(2) })
    put(kind, { state, cost: served(3) })
    const text = await metrics.metrics()
    expect(text).not.toContain(OF_IT)
    expect(text).toContain('swe_operator_serving_node_seconds_total 0')
  })
})
