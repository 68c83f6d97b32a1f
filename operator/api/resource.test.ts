import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFastWorld } from '../testing/fast-world.ts'
import { ScriptedApiServer, status } from '../testing/scripted-api-server.ts'
import { resourceType, type KubeObject } from './object.ts'
import type { Written } from './answer.ts'
import { createClient, type Client } from './resource.ts'
import { createTransport, type Call, type Transport } from './transport.ts'

const Job = resourceType({ apiVersion: 'batch/v1', kind: 'Job', plural: 'jobs', scope: 'Namespaced' })
const Node = resourceType({ apiVersion: 'v1', kind: 'Node', plural: 'nodes', scope: 'Cluster' })
const key = { namespace: 'default', name: 'a' }
const job: KubeObject = { apiVersion: 'batch/v1', kind: 'Job', metadata: { ...key, uid: 'u', resourceVersion: '7' } }

let server: ScriptedApiServer
let transport: Transport
let client: Client
let written: Written[]
let calls: Call[]
let mayWrite: () => void

beforeEach(async () => {
  const world = createFastWorld(1)
  server = await ScriptedApiServer.start()
  written = []
  calls = []
  mayWrite = () => {}
  transport = createTransport({ connection: { server: server.url, authorize: async () => {} }, world, record: (call) => calls.push(call) })
  client = createClient(transport, { world, mayWrite: () => mayWrite(), onWrite: (write) => written.push(write) })
})
afterEach(async () => {
  await transport.close()
  await server.close()
})

const sentBody = (): unknown => JSON.parse(server.requests.at(-1)?.body ?? 'null')

describe('reading', () => {
  it('finds an object, and nothing where there is none', async () => {
    server.nextOthers(({ answer }) => answer(200, job), ({ refuse }) => refuse(404, 'NotFound'))
    expect(await client.get(Job, key)).toEqual(job)
    expect(await client.get(Job, key)).toBeUndefined()
    expect(server.requests[0]?.path).toBe('/apis/batch/v1/namespaces/default/jobs/a')
    expect(calls[0]).toEqual({ verb: 'get', group: 'batch', resource: 'jobs', namespace: 'default' })
  })

  it('ignores a namespace for kinds that have none', async () => {
    server.nextOthers(({ answer }) => answer(200, job))
    await client.get(Node, key)
    expect(server.requests[0]?.path).toBe('/api/v1/nodes/a')
  })

  it('tells items what they are and leaves fields alone that it does not know', async () => {
    const { apiVersion: _version, kind: _kind, ...item } = { ...job, spec: { fromTheFuture: { deep: [1, null] } } }
    server.nextOthers(({ answer }) => answer(200, { kind: 'JobList', metadata: { resourceVersion: '9', continue: 'more' }, items: [item] }))
    const page = await client.list(Job, { labelSelector: 'a=b', resourceVersion: '0' })
    expect(page).toEqual({ items: [{ ...job, spec: { fromTheFuture: { deep: [1, null] } } }], resourceVersion: '9', continue: 'more' })
    expect(server.requests[0]?.query.toString()).toBe('limit=500&labelSelector=a%3Db&resourceVersion=0')
  })

  it('cuts what is not needed before it parses anything, item by item', async () => {
    const trim = (text: Buffer): Buffer => Buffer.from(text.toString().replace(/,"spec":\{[^}]*\}/, ''))
    server.nextOthers(({ answer }) => answer(200, { kind: 'JobList', metadata: { resourceVersion: '9' }, items: [{ ...job, spec: { a: 1 } }, { ...job, spec: { b: 2 } }] }))
    expect((await client.list(Job, { trim })).items).toEqual([job, job])
  })

  it('reads a list whose items are null', async () => {
    server.nextOthers(({ answer }) => answer(200, { metadata: { resourceVersion: '9' }, items: null }))
    expect(await client.list(Job)).toEqual({ items: [], resourceVersion: '9' })
  })
})

describe('server-side apply', () => {
  const intent = { ...job, metadata: { ...job.metadata, labels: { a: 'b' }, generation: 3, creationTimestamp: 'x' }, spec: { parallelism: 1 }, status: { active: 1 } }

  it('sends what we want with force, and nothing that belongs to the server', async () => {
    server.nextOthers(({ answer }) => answer(200, { ...job, metadata: { ...job.metadata, resourceVersion: '8' } }))
    await client.apply(Job, intent, { fieldManager: 'me' })
    expect(server.requests[0]?.query.toString()).toBe('fieldManager=me&force=true')
    expect(sentBody()).toEqual({ apiVersion: 'batch/v1', kind: 'Job', metadata: { ...key, uid: 'u', labels: { a: 'b' } }, spec: { parallelism: 1 } })
    expect(written).toEqual([{ type: Job, resourceVersion: '8' }])
  })

  it('of the status sends the status, guarded by the version alone', async () => {
    server.nextOthers(({ answer }) => answer(200, job))
    await client.applyStatus(Job, intent, { fieldManager: 'me' })
    expect(server.requests[0]?.path).toBe('/apis/batch/v1/namespaces/default/jobs/a/status')
    expect(sentBody()).toEqual({ apiVersion: 'batch/v1', kind: 'Job', metadata: { ...key, resourceVersion: '7' }, status: { active: 1 } })
    expect(calls[0]).toMatchObject({ verb: 'patch', resource: 'jobs', subresource: 'status' })
  })

  it('sends nothing when exactly this was applied to exactly this state', async () => {
    const result = { ...job, metadata: { ...job.metadata, resourceVersion: '8' } }
    const changed = { ...job, metadata: { ...job.metadata, resourceVersion: '9' } }
    server.nextOthers(({ answer }) => answer(200, result), ({ answer }) => answer(200, changed), ({ answer }) => answer(200, changed))
    await client.apply(Job, intent, { fieldManager: 'me', live: job })
    expect(await client.apply(Job, intent, { fieldManager: 'me', live: result })).toBe(result)
    expect(server.requests).toHaveLength(1)
    await client.apply(Job, intent, { fieldManager: 'me', live: changed }) // somebody else changed it
    await client.apply(Job, { ...intent, metadata: { ...intent.metadata, labels: {} } }, { fieldManager: 'me', live: changed })
    expect(server.requests).toHaveLength(3)
  })
})

describe('removing', () => {
  it('names the object it means and leaves dependents to the background', async () => {
    server.nextOthers(({ answer }) => answer(200, { ...status(200, ''), status: 'Success', details: { uid: 'u' } }))
    await client.remove(Job, key, { uid: 'u', gracePeriodSeconds: 5 })
    expect(sentBody()).toEqual({ apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', gracePeriodSeconds: 5, preconditions: { uid: 'u' } })
    expect(written).toEqual([{ type: Job, deletedUid: 'u' }])
  })

  it('tells the version of an object that stays for a while', async () => {
    server.nextOthers(({ answer }) => answer(200, { ...job, metadata: { ...job.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }))
    await client.remove(Job, key)
    expect(written).toEqual([{ type: Job, resourceVersion: '7', deletedUid: 'u' }])
  })

  it('is done when the object is gone, or another has its name', async () => {
    const other = { ...job, metadata: { ...job.metadata, uid: 'other' } }
    server.nextOthers(({ refuse }) => refuse(404, 'NotFound'), ({ refuse }) => refuse(409, 'Conflict'), ({ answer }) => answer(200, other))
    await client.remove(Job, key)
    await client.remove(Job, key, { uid: 'u' })
    expect(written).toEqual([{ type: Job, deletedUid: 'u' }])
  })

  it('fails when the object itself is not as expected', async () => {
    server.nextOthers(({ refuse }) => refuse(409, 'Conflict'), ({ answer }) => answer(200, job))
    await expect(client.remove(Job, key, { uid: 'u', resourceVersion: '6' })).rejects.toMatchObject({ code: 409 })
  })
})

describe('the write fence', () => {
  it('holds back every write, and no reading and no review', async () => {
    mayWrite = () => {
      throw new Error('fenced')
    }
    const patch = { contentType: 'application/merge-patch+json', body: {} } as const
    await expect(client.create(Job, job)).rejects.toThrow('fenced')
    await expect(client.submit(Job, job)).rejects.toThrow('fenced')
    await expect(client.apply(Job, job, { fieldManager: 'me' })).rejects.toThrow('fenced')
    await expect(client.applyStatus(Job, job, { fieldManager: 'me' })).rejects.toThrow('fenced')
    await expect(client.patch(Job, key, patch)).rejects.toThrow('fenced')
    await expect(client.remove(Job, key)).rejects.toThrow('fenced')
    server.nextOthers(({ answer }) => answer(200, job), ({ answer }) => answer(201, { status: { authenticated: true } }))
    await client.get(Job, key)
    expect(await client.post('/apis/authentication.k8s.io/v1/tokenreviews', {})).toEqual({ status: { authenticated: true } })
    expect(calls.at(-1)).toEqual({ verb: 'create', group: 'authentication.k8s.io', resource: 'tokenreviews' })
  })
})

describe('writing', () => {
  it('counts an object whose last finalizer it took as removed', async () => {
    server.nextOthers(({ answer }) => answer(200, { ...job, metadata: { ...job.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }))
    await client.patch(Job, key, { contentType: 'application/merge-patch+json', body: { metadata: { finalizers: null } } })
    expect(written).toEqual([{ type: Job, resourceVersion: '7', deletedUid: 'u' }])
  })

  it('asks for the metadata alone where nobody looks at the answer, and still tells what was written', async () => {
    server.nextOthers(({ answer }) => answer(201, job), ({ answer }) => answer(200, job))
    await client.submit(Job, job)
    await client.remove(Job, key)
    expect(server.requests.map(({ method, accept }) => [method, accept])).toEqual(['POST', 'DELETE'].map((method) => [method, 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json']))
    expect(sentBody()).toMatchObject({ kind: 'DeleteOptions' })
    expect(written).toEqual([{ type: Job, resourceVersion: '7' }, { type: Job, resourceVersion: '7' }])
  })

  it('reads no answer at all where nobody waits for writes either, but every refusal', async () => {
    const ungated = createClient(transport, { world: createFastWorld(1) })
    server.nextOthers(({ answer }) => answer(201, 'not an object'), ({ refuse }) => refuse(409, 'AlreadyExists'))
    await expect(ungated.submit(Job, job)).resolves.toBeUndefined()
    await expect(ungated.submit(Job, job)).rejects.toMatchObject({ code: 409, reason: 'AlreadyExists' })
  })

  it('tells nothing of a write that failed', async () => {
    server.nextOthers(({ refuse }) => refuse(422, 'Invalid'))
    await expect(client.create(Job, job)).rejects.toMatchObject({ code: 422 })
    expect(written).toEqual([])
  })
})
