// The client's promises about writes, kept by a real API server.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../../operator/api/kubeconfig.ts'
import { resourceType, type KubeObject } from '../../operator/api/object.ts'
import { createClient, type Client } from '../../operator/api/resource.ts'
import { createTransport, type Call, type RequestOutcome, type Transport } from '../../operator/api/transport.ts'
import { ConfigMap } from '../../operator/testing/cached-config-maps.ts'
import { realWorld } from '../../operator/world.ts'
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts'

const Job = resourceType({ apiVersion: 'batch/v1', kind: 'Job', plural: 'jobs', scope: 'Namespaced' })
const key = (name: string): { namespace: string; name: string } => ({ namespace: 'default', name })
const manager = { fieldManager: 'test' }

let plane: ControlPlane
let transport: Transport
let client: Client
const outcomes: RequestOutcome[] = []
const calls: Call[] = []

beforeAll(async () => {
  plane = await startControlPlane({ name: 'client' })
  const connection = await connect({ world: realWorld, env: {}, kubeconfig: plane.kubeconfigPath })
  transport = createTransport({ connection, world: realWorld, observe: (outcome) => outcomes.push(outcome), record: (call) => calls.push(call) })
  client = createClient(transport, { world: realWorld })
})
afterAll(async () => {
  await transport.close()
  await plane.stop()
})

function aConfigMap(name: string, data: Record<string, string>, uid?: string): KubeObject & { data: object } {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...key(name), ...(uid ? { uid } : {}) }, data }
}

describe('server-side apply', () => {
  it('creates, drops what is no longer said, and leaves the version alone when nothing changes', async () => {
    const made = await client.apply(ConfigMap, aConfigMap('applied', { a: '1', b: '2' }), manager)
    const changed = await client.apply(ConfigMap, aConfigMap('applied', { a: '1' }), manager)
    expect(changed).toMatchObject({ data: { a: '1' } })
    const same = await client.apply(ConfigMap, aConfigMap('applied', { a: '1' }), manager)
    expect(same.metadata.resourceVersion).toBe(changed.metadata.resourceVersion)
    expect(same.metadata.uid).toBe(made.metadata.uid)
    expect(calls.filter(({ resource }) => resource === 'configmaps').map(({ verb }) => verb)).toEqual(['patch', 'create', 'patch', 'patch'])
  })

  it('with a uid never makes an object anew', async () => {
    const { uid } = (await client.create(ConfigMap, aConfigMap('deleted', {}))).metadata
    await client.remove(ConfigMap, key('deleted'))
    await expect(client.apply(ConfigMap, aConfigMap('deleted', { a: '1' }, uid), manager)).rejects.toMatchObject({ code: 409 })
    expect(await client.get(ConfigMap, key('deleted'))).toBeUndefined()
  })

  it('of a status with an old version is refused', async () => {
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } }
    const wanted = { apiVersion: 'batch/v1', kind: 'Job', metadata: key('job'), spec: { template } }
    const { resourceVersion = '' } = (await client.create(Job, wanted)).metadata
    const says = (active: number) => ({ ...wanted, metadata: { ...key('job'), resourceVersion }, status: { active } })
    expect(await client.applyStatus(Job, says(1), manager)).toMatchObject({ status: { active: 1 } })
    await expect(client.applyStatus(Job, says(2), manager)).rejects.toMatchObject({ code: 409 })
  })
})

describe('removing', () => {
  it('spares a successor of the same name and counts as done', async () => {
    const { uid } = (await client.create(ConfigMap, aConfigMap('successor', {}))).metadata
    await client.remove(ConfigMap, key('successor'), uid ? { uid } : {})
    const successor = await client.create(ConfigMap, aConfigMap('successor', {}))
    await client.remove(ConfigMap, key('successor'), uid ? { uid } : {})
    expect((await client.get(ConfigMap, key('successor')))?.metadata.uid).toBe(successor.metadata.uid)
  })

  it('of what is not there counts as done', async () => {
    await client.remove(ConfigMap, key('never-there'))
    expect(outcomes.at(-1)).toMatchObject({ code: '404', method: 'DELETE' })
  })
})

describe('errors', () => {
  it('say in the words of the server which field is wrong', async () => {
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: key('wrong'), spec: { parallelism: 'many' } }
    await expect(client.apply(Job, job, manager)).rejects.toThrow(/parallelism/)
  })

  it('of a call that is not retried arrive within its time', async () => {
    await plane.killApiServer()
    const began = performance.now()
    await expect(client.get(ConfigMap, key('applied'))).rejects.toMatchObject({ fault: 'UNREACHABLE' })
    expect(performance.now() - began).toBeLessThan(30_000)
    await plane.startApiServer()
    expect(await client.get(ConfigMap, key('applied'))).toBeDefined()
  })
})
