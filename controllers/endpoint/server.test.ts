import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:tls'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { SWEBenchEval } from '../../crds/swebench-eval.ts'
import { audienceOf } from '../jobs/identity.ts'
import type { Pod } from '../shared/kinds.ts'
import { openStageWithRun, tokenWith, type Ask, type EndpointStage } from '../testing/endpoint-stage.ts'
import { issueMaterial } from '../tls/rotation.ts'

const BASE = '/v1alpha1/namespaces/team-a/trainingruns/tiny'
const STATUS = `${BASE}/attempts/1/status`
const POST_STATUS: Ask = { method: 'POST', body: { trainerStatus: { progressPercentage: 10, metrics: [{ name: 'current_step', value: '1' }, { name: 'total_steps', value: '10' }] } } }

let stage: EndpointStage
let pod: Pod
let token: string

const listed = (changes: Ask = {}) => stage.ask(`${BASE}/objects?prefix=`, { token, ...changes })
const presign = (body: unknown) => stage.ask(`${BASE}/presign`, { method: 'POST', token, body })
const refusedAs = (code: string): object => ({ body: { error: { code, message: expect.any(String) } } })

beforeEach(async () => {
  ({ stage, pod, token } = await openStageWithRun())
})
afterEach(() => stage.close())

describe('URLs for the store', () => {
  it('are signed for the own prefix, in the order asked for', async () => {
    const { status, body } = await presign({ requests: [{ method: 'PUT', key: 'checkpoints/a1/step-2/x' }, { method: 'GET', uri: 's3://swe/team-a/models/m/config.json' }] })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      expiresInSeconds: 3600,
      urls: [
        { method: 'PUT', key: 'checkpoints/a1/step-2/x', headers: { 'If-None-Match': '*' }, url: expect.stringContaining('/swe/team-a/u1/checkpoints/a1/step-2/x?') },
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
    [{ method: 'PUT', key: `result/a1/${'x'.repeat(1010)}` }],
    [{ method: 'GET', uri: 's3://swe/team-b/u2/result/manifest.json' }],
    [{ method: 'GET', uri: 's3://swe/team-ab/x' }],
    [{ method: 'GET', uri: 's3://swe-b/team-a/x' }],
    [{ method: 'PUT', key: 'data/manifest.json' }],
    [{ method: 'PUT', key: 'data/uid-of-tiny-a1-x/train.jsonl' }],
    [{ method: 'PUT', key: 'attempts/2/verdict.json' }],
    [{ method: 'PUT', key: 'checkpoints/a11/step-1/x' }],
    [{ method: 'PUT', key: 'result/manifest.json/x' }],
    [{ method: 'GET', uri: 's3://swe/team-a/../team-b/x' }],
    [{ method: 'GET', uri: 's3://other/team-a/x' }],
    [{ method: 'PUT', uri: 's3://swe/team-a/x' }],
    [{ method: 'PUT', uri: `s3://swe/team-a/verdict-cache/${'0'.repeat(64)}.json` }],
    [{ method: 'GET', uri: `s3://swe/team-a/verdict-cache/${'0'.repeat(64)}.json` }],
  ])('are not signed for what leads elsewhere, %#', async (request) => {
    expect(await presign({ requests: [request] })).toMatchObject({ status: 400, ...refusedAs('InvalidKey') })
  })

  it.each([
    ['prepare', 'data/uid-of-tiny-a1-x/train.jsonl', 200],
    ['prepare', 'data/manifest.json', 200],
    ['prepare', 'data/another-pod/train.jsonl', 400],
    ['prepare', 'result/manifest.json', 400],
    ['train', 'result/manifest.json', 200],
    ['train', 'attempts/1/verdict.json', 200],
    ['train', 'attempts/1/verdict-2.json', 200],
    ['train', 'result/a1-2/metrics.jsonl', 200],
    ['train', 'result/a11/metrics.jsonl', 400],
    ['train', 'result/manifest.json/x', 400],
    ['other', 'data/manifest.json', 400],
  ])('let a pod of role %s write %s or not: %d', async (role, key, status) => {
    stage.cachedPods.set('team-a/tiny-a1-x', { ...pod, metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, 'swe-operator.dev/role': role } } })
    expect((await presign({ requests: [{ method: 'PUT', key }] })).status).toBe(status)
    expect((await presign({ requests: [{ method: 'GET', key }] })).status).toBe(200)
  })

  it('keep an encoded dot segment what it is: a name', async () => {
    const { body } = await presign({ requests: [{ method: 'GET', key: '%2e%2e/u2/x' }] })
    expect(body).toMatchObject({ urls: [{ url: expect.stringContaining('/swe/team-a/u1/%252e%252e/u2/x?') }] })
  })

  it.each([
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
    const { body } = await presign({ requests: Array.from({ length: 1000 }, (_, i) => ({ method: 'PUT', key: `result/a1/${'k'.repeat(900)}/${i}` })) })
    expect(body).toHaveProperty('urls.999')
  })
})

describe('the verdicts of a namespace', () => {
  const entry = (namespace: string) => `s3://swe/${namespace}/verdict-cache/${'a'.repeat(64)}.json`
  const evaluation: SWEBenchEval = { apiVersion: 'swe-operator.dev/v1alpha1', kind: 'SWEBenchEval', metadata: { namespace: 'team-a', name: 'lite', uid: 'e1' }, spec: { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWEBench' }, predictions: { gold: {} } } }

  async function askAs(role: string, request: object) {
    const holder: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'team-a', name: `lite-${role}`, uid: `uid-of-${role}`, labels: { 'swe-operator.dev/uid': 'e1', 'swe-operator.dev/role': role } }, status: { phase: 'Running' } }
    stage.evaluations.set('team-a/lite', evaluation)
    stage.cachedPods.set(`team-a/lite-${role}`, holder)
    const held = tokenWith({ audience: audienceOf(evaluation), username: 'system:serviceaccount:team-a:default', pod: { name: `lite-${role}`, uid: `uid-of-${role}` } })
    return stage.ask('/v1alpha1/namespaces/team-a/swebenchevals/lite/presign', { method: 'POST', token: held, body: { requests: [request] } })
  }

  it('are created by the report of an evaluation, once', async () => {
    expect(await askAs('report', { method: 'PUT', uri: entry('team-a') })).toMatchObject({ status: 200, body: { urls: [{ headers: { 'If-None-Match': '*' }, url: expect.stringContaining(`/swe/team-a/verdict-cache/${'a'.repeat(64)}.json?`) }] } })
    expect((await askAs('report', { method: 'GET', uri: entry('team-a') })).status).toBe(400)
  })

  it('are read by the preparation of an evaluation, which creates none', async () => {
    expect((await askAs('prepare', { method: 'GET', uri: entry('team-a') })).status).toBe(200)
    expect((await askAs('prepare', { method: 'PUT', uri: entry('team-a') })).status).toBe(400)
  })

  it('are those of no other namespace', async () => {
    expect([(await askAs('prepare', { method: 'GET', uri: entry('team-b') })).status, (await askAs('report', { method: 'PUT', uri: entry('team-b') })).status]).toEqual([400, 400])
  })

  it('are in no listing', async () => {
    for (const key of ['team-a/u/x', `team-a/verdict-cache/${'a'.repeat(64)}.json`]) stage.s3.objects.set(key, 'x')
    const { body } = await stage.ask(`${BASE}/objects?uri=${encodeURIComponent('s3://swe/team-a/')}`, { token })
    expect(body).toMatchObject({ objects: [{ uri: 's3://swe/team-a/u/x' }] })
    expect(body).not.toHaveProperty('objects.1')
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

  it.each([['generate', 200], ['prepare', 403], ['train', 403]])('of an evaluation is taken from the pod that asks its model alone: %s', async (role, expected) => {
    const evaluation = { apiVersion: 'swe-operator.dev/v1alpha1', kind: 'SWEBenchEval', metadata: { namespace: 'team-a', name: 'lite', uid: 'u9' }, spec: {} } as SWEBenchEval
    const asking: Pod = { ...pod, metadata: { ...pod.metadata, name: 'lite-g1', uid: 'uid-g1', labels: { 'swe-operator.dev/uid': 'u9', 'swe-operator.dev/role': role, 'swe-operator.dev/attempt': '1' } } }
    stage.evaluations.set('team-a/lite', evaluation)
    stage.cachedPods.set('team-a/lite-g1', asking)
    const own = tokenWith({ audience: audienceOf(evaluation), username: 'system:serviceaccount:team-a:default', pod: { name: 'lite-g1', uid: 'uid-g1' } })
    const { status } = await stage.ask('/v1alpha1/namespaces/team-a/swebenchevals/lite/attempts/1/status', { ...POST_STATUS, token: own })
    expect([status, stage.book.of('u9')?.step]).toEqual([expected, expected === 200 ? 1 : undefined])
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
    await presign({ requests: [{ method: 'PUT', key: 'result/a1/x' }] })
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
