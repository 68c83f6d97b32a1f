import { describe, expect, it } from 'vitest'

import { silentLog } from '../operator/observe/log.ts'
import { FakeApiServer } from '../operator/testing/fake-api-server.ts'
import { createFakeWorld } from '../operator/testing/fake-world.ts'
import { labelOwnPod, LEADER } from './leader-label.ts'

const ref = { apiVersion: 'v1', kind: 'Pod', namespace: 'ns', name: 'swe-operator-0' }
const arrange = () => {
  const api = new FakeApiServer(createFakeWorld())
  return { api, runtime: { unfenced: api.connect(), log: silentLog } }
}

describe('the pod of a replica', () => {
  it('carries the label while it leads, and keeps its other labels', async () => {
    const { api, runtime } = arrange()
    const { metadata: { uid = '' } } = api.put({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'ns', name: 'swe-operator-0', labels: { app: 'swe-operator' } } })
    await labelOwnPod(runtime, { ...ref, uid }, 'Leader')
    expect(api.find(ref)?.metadata.labels).toEqual({ app: 'swe-operator', [LEADER]: 'true' })
    await labelOwnPod(runtime, { ...ref, uid }, 'Standby')
    expect(api.find(ref)?.metadata.labels).toEqual({ app: 'swe-operator' })
  })

  it('need not exist: the operator also runs outside a cluster', async () => {
    const { runtime } = arrange()
    await expect(labelOwnPod(runtime, { ...ref, uid: 'u' }, 'Leader')).resolves.toBeUndefined()
  })
})
