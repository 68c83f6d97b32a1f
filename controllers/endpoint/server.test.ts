import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:tls'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { TrainingRun } from '../../crds/training-run.ts'
import type { Pod } from '../shared/kinds.ts'
import { aPodOf, aRun, openEndpointStage, tokenWith, type Ask, type EndpointStage } from '../testing/endpoint-stage.ts'
import { issueMaterial } from '../tls/rotation.ts'

const BASE = '/v1alpha1/namespaces/team-a/trainingruns/tiny'
const STATUS = `${BASE}/attempts/1/status`
const POST_STATUS: Ask = { method: 'POST', body: { trainerStatus: { progressPercentage: 10, metrics: [{ name: 'current_step', value: '1' }, { name: 'total_steps', value: '10' }] } } }

let stage: EndpointStage
let run: TrainingRun
let pod: Pod
let token: string

const tokenOf = (owner: TrainingRun, holder: Pod, namespace = 'team-a'): string =>
  tokenWith({ audience: `swe-operator.dev/trainingruns/${owner.metadata.uid}`, username: `system:serviceaccount:${namespace}:default`, pod: { name: holder.metadata.name, uid: holder.metadata.uid ?? '' } })
const listed = (changes: Ask = {}) => stage.ask(`${BASE}/objects?prefix=`, { token, ...changes })
const presign = (body: unknown) => stage.ask(`${BASE}/presign`, { method: 'POST', token, body })
const refusedAs = (code: string): object => ({ body: { error: { code, message: expect.any(String) } } })

beforeEach(async () => {
  stage = await openEndpointStage()
  run = aRun('team-a', 'tiny', 'u1')
  pod = aPodOf(run, 'tiny-a1-x', 1)
  token = tokenOf(run, pod)
  stage.runs.set('team-a/tiny', run)
  stage.cachedPods.set('team-a/tiny-a1-x', pod)
})
afterEach(() => stage.close())

describe('who may pass', () => {
  it('is a live pod of the run with a token for that run', async () => {
    expect(await listed()).toEqual({ status: 200, body: { objects: [] } })
  })

  it.each([
    ['no token', () => undefined],
    ['something that is no token', () => 'guess'],
    ['a very long token', () => `a.${'b'.repeat(9000)}.c`],
    ['a token for the API server', () => tokenWith({ audience: 'https://kubernetes.default.svc', username: 'system:serviceaccount:team-a:default', pod: { name: 'tiny-a1-x', uid: 'uid-of-tiny-a1-x' } })],
    ['a token for another run', () => tokenOf(aRun('team-a', 'other', 'u2'), pod)],
    ['a token for an earlier run of that name', () => tokenOf(aRun('team-a', 'tiny', 'u0'), pod)],
    ['a token of a person', () => tokenWith({ audience: 'swe-operator.dev/trainingruns/u1', username: 'admin' })],
    ['a service account token that belongs to no pod', () => tokenWith({ audience: 'swe-operator.dev/trainingruns/u1', username: 'system:serviceaccount:team-a:default' })],
  ])('is not %s', async (_, made) => {
    const offered = made()
    const answer = await stage.ask(`${BASE}/objects?prefix=`, offered === undefined ? {} : { token: offered })
    expect(answer).toMatchObject({ status: 401, ...refusedAs('Unauthenticated') })
  })

  it.each([
    ['a pod of another namespace', () => tokenOf(run, pod, 'team-b')],
    ['a pod that has no label of the run', () => {
      stage.cachedPods.set('team-a/stranger', { ...aPodOf(aRun('team-a', 'x', 'u9'), 'stranger', 1) })
      return tokenOf(run, aPodOf(run, 'stranger', 1))
    }],
    ['a pod that is gone', () => tokenOf(run, aPodOf(run, 'gone', 1))],
    ['a predecessor of the same name', () => tokenOf(run, { ...pod, metadata: { ...pod.metadata, uid: 'before' } })],
    ['a pod that succeeded', () => {
      stage.cachedPods.set('team-a/tiny-a1-x', { ...pod, status: { phase: 'Succeeded' } })
      return token
    }],
    ['a pod that failed', () => {
      stage.cachedPods.set('team-a/tiny-a1-x', { ...pod, status: { phase: 'Failed' } })
      return token
    }],
  ])('is not %s', async (_, made) => {
    expect(await listed({ token: made() })).toMatchObject({ status: 403, ...refusedAs('PodNotAllowed') })
  })

  it('includes a pod that is being deleted: it still writes its last checkpoint', async () => {
    stage.cachedPods.set('team-a/tiny-a1-x', { ...pod, spec: { nodeName: 'n1' }, metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } })
    expect((await listed()).status).toBe(200)
  })

  it('includes a pod that the cache does not show yet', async () => {
    stage.cachedPods.clear()
    stage.livePods.set('team-a/tiny-a1-x', pod)
    expect((await listed()).status).toBe(200)
  })

  it('is nobody where there is no such run', async () => {
    stage.runs.clear()
    expect(await listed()).toMatchObject({ status: 404, ...refusedAs('RunNotFound') })
  })

  it.each([
    ['the caches are not synced', () => void (stage.state.synced = false)],
    ['the API server cannot check tokens', () => void (stage.state.apiServer = 'Down')],
  ])('is asked to come again while %s', async (_, arrange) => {
    arrange()
    expect(await listed()).toMatchObject({ status: 503, ...refusedAs('NotReady') })
  })

  it('is nobody when the API server ignores audiences', async () => {
    stage.state.apiServer = 'IgnoresAudiences'
    expect((await listed()).status).toBe(401)
  })

  it.each(['/v1alpha1/namespaces/team-a%2Ftiny/trainingruns/x/objects?prefix=', '/v1alpha1/namespaces/../trainingruns/tiny/objects?prefix=', '/v1alpha1/namespaces/team-a/trainingruns/%2E%2E/objects', '/healthz', '/'])('finds nothing at %s', async (path) => {
    expect((await stage.ask(path, { token })).status).toBe(404)
  })
})

describe('a token', () => {
  it('is checked once a minute, its pod each time', async () => {
    await Promise.all([listed(), listed(), listed()])
    expect(stage.reviewed).toHaveLength(1)
    stage.cachedPods.delete('team-a/tiny-a1-x')
    expect((await listed()).status).toBe(403)
    await stage.world.advance(60_000)
    await listed()
    expect(stage.reviewed).toHaveLength(2)
  })

  it('that was refused is checked again after ten seconds', async () => {
    const foreign = tokenOf(aRun('team-a', 'other', 'u2'), pod)
    await listed({ token: foreign })
    await listed({ token: foreign })
    expect(stage.reviewed).toHaveLength(1)
    await stage.world.advance(10_000)
    await listed({ token: foreign })
    expect(stage.reviewed).toHaveLength(2)
  })
})

describe('URLs for the store', () => {
  it('are signed for the own prefix, in the order asked for', async () => {
    const { status, body } = await presign({ requests: [{ method: 'PUT', key: 'data/p/train.jsonl' }, { method: 'GET', uri: 's3://swe/team-a/models/m/config.json' }] })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      expiresInSeconds: 3600,
      urls: [
        { method: 'PUT', key: 'data/p/train.jsonl', headers: { 'If-None-Match': '*' }, url: expect.stringContaining('/swe/team-a/u1/data/p/train.jsonl?') },
        { method: 'GET', uri: 's3://swe/team-a/models/m/config.json', headers: {}, url: expect.stringContaining('/swe/team-a/models/m/config.json?') },
      ],
    })
  })

  it.each([
    [{ method: 'PUT', key: '../u2/result/manifest.json' }],
    [{ method: 'GET', key: '/team-b/u2/x' }],
    [{ method: 'GET', key: 'a/../../u2/x' }],
    [{ method: 'GET', key: 'a//b' }],
    [{ method: 'GET', key: 'a\nb' }],
    [{ method: 'GET', key: '' }],
    [{ method: 'PUT', key: 'x'.repeat(1020) }],
    [{ method: 'GET', uri: 's3://swe/team-b/u2/result/manifest.json' }],
    [{ method: 'GET', uri: 's3://swe/team-a/../team-b/x' }],
    [{ method: 'GET', uri: 's3://other/team-a/x' }],
  ])('are not signed for what leads elsewhere, %#', async (request) => {
    expect(await presign({ requests: [request] })).toMatchObject({ status: 400, ...refusedAs('InvalidKey') })
  })

  it.each([
    [{ requests: [{ method: 'PUT', uri: 's3://swe/team-a/x' }] }],
    [{ requests: [{ method: 'DELETE', key: 'x' }] }],
    [{ requests: [{ method: 'GET', key: 'x', bucket: 'other' }] }],
    [{ requests: [] }],
    [{ requests: Array.from({ length: 1001 }, () => ({ method: 'GET', key: 'x' })) }],
    [{}],
    ['{"half":'],
  ])('are not signed for what is no such request, %#', async (body) => {
    expect(await presign(body)).toMatchObject({ status: 400, ...refusedAs('InvalidRequest') })
  })

  it('are signed a thousand at a time', async () => {
    const { body } = await presign({ requests: Array.from({ length: 1000 }, (_, i) => ({ method: 'PUT', key: `${'k'.repeat(900)}/${i}` })) })
    expect(body).toHaveProperty('urls.999')
  })
})

describe('a listing', () => {
  it('shows own objects by keys relative to the run', async () => {
    for (const key of ['team-a/u1/checkpoints/a1/step-1/x', 'team-a/u1/data/y', 'team-a/u2/checkpoints/z', 'team-b/u1/checkpoints/z']) stage.s3.objects.set(key, 'x')
    const { body } = await stage.ask(`${BASE}/objects?prefix=checkpoints/`, { token })
    expect(body).toEqual({ objects: [{ key: 'checkpoints/a1/step-1/x', sizeBytes: 1, lastModifiedTime: expect.any(String) }] })
  })

  it('shows what lies under a URI of the namespace', async () => {
    stage.s3.objects.set('team-a/models/m/config.json', 'x')
    const { body } = await stage.ask(`${BASE}/objects?uri=${encodeURIComponent('s3://swe/team-a/models/')}`, { token })
    expect(body).toMatchObject({ objects: [{ uri: 's3://swe/team-a/models/m/config.json' }] })
  })

  it.each(['prefix=../u2/', 'prefix=/', 'prefix=a//', `uri=${encodeURIComponent('s3://swe/team-b/')}`, `uri=${encodeURIComponent('s3://swe/team-a')}`])('is refused for %s', async (query) => {
    expect(await stage.ask(`${BASE}/objects?${query}`, { token })).toMatchObject({ status: 400, ...refusedAs('InvalidKey') })
  })

  it.each(['', '?prefix=a&uri=b', '?prefix=a&prefix=b', '?other=1'])('needs exactly one of prefix and uri, not %j', async (query) => {
    expect(await stage.ask(`${BASE}/objects${query}`, { token })).toMatchObject({ status: 400, ...refusedAs('InvalidRequest') })
  })

  it('is put off while the store is away', async () => {
    stage.s3.answerNext(503, '<Error><Code>SlowDown</Code></Error>')
    expect(await listed()).toMatchObject({ status: 503, ...refusedAs('StoreUnavailable') })
  })
})

describe('progress', () => {
  it('is echoed and recorded', async () => {
    const { status, body } = await stage.ask(STATUS, { ...POST_STATUS, token })
    expect({ status, body }).toEqual({ status: 200, body: POST_STATUS.body })
    expect(stage.book.of('u1')).toMatchObject({ attempt: 1, step: 1, totalSteps: 10 })
  })

  it('is taken whatever the content type', async () => {
    expect((await stage.ask(STATUS, { ...POST_STATUS, token, headers: { 'content-type': 'application/x-www-form-urlencoded' } })).status).toBe(200)
  })

  it('that reports nothing is taken and changes nothing', async () => {
    expect((await stage.ask(STATUS, { method: 'POST', body: {}, token })).status).toBe(200)
    expect(stage.book.of('u1')).toBeUndefined()
  })

  it('is taken by the leader alone', async () => {
    stage.state.leading = false
    expect(await stage.ask(STATUS, { ...POST_STATUS, token })).toMatchObject({ status: 503, ...refusedAs('NotLeading') })
  })

  it.each(['attempts/2/status', 'attempts/0/status', 'attempts/1e0/status', 'attempts/01/status'])('of a pod of attempt 1 is refused at %s', async (path) => {
    expect(await stage.ask(`${BASE}/${path}`, { ...POST_STATUS, token })).toMatchObject({ status: 403, ...refusedAs('PodNotAllowed') })
  })

  it('is refused from the pod that prepares the data', async () => {
    const labels = { ...pod.metadata.labels, 'swe-operator.dev/role': 'prepare' }
    stage.cachedPods.set('team-a/tiny-a1-x', { ...pod, metadata: { ...pod.metadata, labels } })
    expect((await stage.ask(STATUS, { ...POST_STATUS, token })).status).toBe(403)
  })

  it('that is no JSON is 400, and one that is too large 413', async () => {
    expect((await stage.ask(STATUS, { method: 'POST', body: 'no json', token })).status).toBe(400)
    expect((await stage.ask(STATUS, { method: 'POST', body: '', token, headers: { 'content-type': 'application/json' } })).status).toBe(400)
    expect(await stage.ask(STATUS, { method: 'POST', body: { trainerStatus: { padding: 'x'.repeat(70_000) } }, token })).toMatchObject({ status: 413, ...refusedAs('BodyTooLarge') })
  })

  it('cannot reach into the prototype of anything', async () => {
    expect((await stage.ask(STATUS, { method: 'POST', body: '{"trainerStatus":{"__proto__":{"polluted":1}}}', token })).status).toBe(400)
  })
})

describe('the endpoint', () => {
  it('counts by route and code, never by name', async () => {
    await listed()
    await stage.ask(STATUS, { ...POST_STATUS, token })
    await stage.ask('/elsewhere')
    const metrics = await stage.registry.metrics()
    expect(metrics).toContain('swe_operator_endpoint_requests_total{route="/v1alpha1/namespaces/:namespace/trainingruns/:name/objects",code="200"} 1')
    expect(metrics).toContain('swe_operator_endpoint_requests_total{route="unknown",code="404"} 1')
    expect(metrics).toContain('swe_operator_training_progress_reports_total{outcome="Recorded"} 1')
    expect(metrics).not.toContain('tiny')
  })

  it('writes neither tokens nor signed URLs into its log', async () => {
    await presign({ requests: [{ method: 'PUT', key: 'x' }] })
    await stage.s3.close()
    await listed()
    stage.state.apiServer = 'Down'
    await stage.world.advance(60_000)
    await listed()
    expect(stage.logged).toHaveLength(2)
    expect(stage.logged.join('\n')).not.toMatch(/X-Amz-|Bearer|e30\./)
    expect(stage.logged.join('\n')).not.toContain(token)
  })

  it('shows a new certificate to new connections and keeps the present ones', async () => {
    const next = issueMaterial(['localhost'], new Date())
    expect((await listed()).status).toBe(200)
    stage.endpoint.serve(next)
    expect((await listed()).status).toBe(200)
    expect(await shownBy(stage.port)).toBe(new X509Certificate(next.certificate).fingerprint256)
  })
})

async function shownBy(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}
