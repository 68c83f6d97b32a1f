import { Registry } from 'prom-client'
import { beforeEach, describe, expect, it } from 'vitest'

import { FakeApiServer } from '../operator/testing/fake-api-server.ts'
import { FakeCache } from '../operator/testing/fake-cache.ts'
import { createFakeWorld } from '../operator/testing/fake-world.ts'
import { exposeRunMetrics } from './metrics.ts'

let api: FakeApiServer
let metrics: Registry
let leading: boolean

beforeEach(() => {
  ;[api, metrics, leading] = [new FakeApiServer(createFakeWorld()), new Registry(), true]
  exposeRunMetrics({ cache: new FakeCache(api), metrics, isLeading: () => leading })
})

const aRunIn = (state: string, attempts: readonly object[] = [], name = 'tiny') =>
  api.put({ apiVersion: 'swe-operator.dev/v1alpha1', kind: 'TrainingRun', metadata: { namespace: 'team', name }, status: { state, attempts } })

describe('the metrics of runs', () => {
  it('count runs by state, with zeroes for the other states', async () => {
    aRunIn('Running')
    aRunIn('Running', [], 'other')
    const text = await metrics.metrics()
    expect(text).toContain('swe_operator_training_runs{state="Running"} 2')
    expect(text).toContain('swe_operator_training_runs{state="Failed"} 0')
  })

  it('count each finished attempt once, by reason', async () => {
    aRunIn('Running', [{ number: 1, state: 'Running' }])
    const finished = { number: 1, state: 'Preempted', reason: 'Preempted' }
    aRunIn('Retrying', [finished])
    aRunIn('Running', [finished, { number: 2, state: 'Running' }])
    aRunIn('Succeeded', [finished, { number: 2, state: 'Completed', reason: 'Completed' }])
    const text = await metrics.metrics()
    expect(text).toContain('swe_operator_training_attempts_total{reason="Preempted"} 1')
    expect(text).toContain('swe_operator_training_attempts_total{reason="Completed"} 1')
  })

  it('do not count what was over before this process began', async () => {
    aRunIn('Succeeded', [{ number: 1, state: 'Completed', reason: 'Completed' }])
    expect(await metrics.metrics()).not.toContain('reason="Completed"')
  })

  it('are silent on a standby, so that a sum over replicas is the truth', async () => {
    leading = false
    aRunIn('Running')
    expect(await metrics.metrics()).not.toContain('swe_operator_training_runs{')
  })
})
