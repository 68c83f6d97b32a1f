import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { SWEBenchEval } from '../../crds/swebench-eval.ts'
import type { Pod } from '../shared/kinds.ts'
import { UID } from '../shared/labels.ts'
import { podKeyOf, type Sandbox } from '../swebench-eval/sandbox.ts'
import { capabilityFor, openEndpointStage, type Ask, type EndpointStage } from '../testing/endpoint-stage.ts'

const EVALUATION: SWEBenchEval = {
  apiVersion: 'swe-operator.dev/v1alpha1', kind: 'SWEBenchEval',
  metadata: { namespace: 'team-a', name: 'lite', uid: '0b5e7c1a-eval' },
  spec: { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWEBench' }, predictions: { gold: {} } },
  status: { data: { prefix: 'data/p1/' } },
}
const SANDBOX: Sandbox = { namespace: 'team-a', evaluation: 'lite', uid: '0b5e7c1a-eval', unit: { ordinal: 7, attempt: 2 } }
const PREFIX = 'team-a/0b5e7c1a-eval/'

let stage: EndpointStage
const pathOf = (path: string, ordinal = 7, attempt = 2): string => `/v1alpha1/namespaces/team-a/swebenchevals/lite/predictions/${ordinal}/attempts/${attempt}/${path}`
const ask = (path: string, init: Ask = {}) => stage.ask(pathOf(path), { token: capabilityFor(SANDBOX), ...init })
const put = (file: string, body: string) => ask(`outputs/${file}`, { method: 'PUT', body, headers: { 'content-type': 'application/octet-stream' } })
const refusedAs = (code: string): object => ({ body: { error: { code, message: expect.any(String) } } })

function aSandboxPod(changes: Partial<Pod> = {}): Pod {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...podKeyOf(SANDBOX), labels: { [UID]: SANDBOX.uid } }, status: { phase: 'Running' }, ...changes }
}

beforeEach(async () => {
  stage = await openEndpointStage()
  stage.evaluations.set('team-a/lite', EVALUATION)
  stage.cachedPods.set(`team-a/${podKeyOf(SANDBOX).name}`, aSandboxPod())
  stage.s3.objects.set(`${PREFIX}data/p1/inputs/7.json`, '{"version":1}')
  stage.s3.objects.set(`${PREFIX}data/p1/inputs/8.json`, '{"version":1,"of":"another"}')
})
afterEach(() => stage.close())

describe('a sandbox', () => {
  it('reads its own input, and leaves its outputs where its try has its place', async () => {
    expect(await ask('input')).toEqual({ status: 200, body: { version: 1 } })
    expect((await put('report.json', '{}')).status).toBe(201)
    expect(stage.s3.objects.get(`${PREFIX}outputs/7/2/report.json`)).toBe('{}')
  })

  it('is told which image its tests run in, once the kubelet has said so', async () => {
    expect(await ask('image')).toMatchObject({ status: 404 })
    const imageID = 'docker.io/swebench/a@sha256:c0ffee'
    stage.cachedPods.set(`team-a/${podKeyOf(SANDBOX).name}`, aSandboxPod({ status: { phase: 'Running', containerStatuses: [{ name: 'grade', imageID: 'ours' }, { name: 'test', imageID }] } }))
    expect(await ask('image')).toEqual({ status: 200, body: { image: imageID } })
  })

  it('commits its try by the verdict, once; a pod that takes its place reads that one', async () => {
    expect((await put('verdict.json', '{"first":true}')).status).toBe(201)
    expect(await put('verdict.json', '{"second":true}')).toMatchObject({ status: 409, ...refusedAs('Exists') })
    expect(await ask('outputs/verdict.json')).toEqual({ status: 200, body: { first: true } })
  })

  it('may write another output again, until the verdict is there', async () => {
    await put('test_output.txt', 'cut off in the mid')
    expect((await put('test_output.txt', 'the whole of it')).status).toBe(201)
    expect(stage.s3.objects.get(`${PREFIX}outputs/7/2/test_output.txt`)).toBe('the whole of it')
  })

  it.each(['stdout.log', 'stderr.log', 'output.json'])('of SWE-bench Pro leaves what its harness does: %s', async (file) => {
    expect((await put(file, 'x')).status).toBe(201)
    expect(stage.s3.objects.get(`${PREFIX}outputs/7/2/${file}`)).toBe('x')
  })

  it('of a dry run leaves what the commands said', async () => {
    expect((await put('dry_run.log', 'x')).status).toBe(201)
  })

  it('may leave an output without a single byte', async () => {
    expect((await put('run_instance.log', '')).status).toBe(201)
    expect(stage.s3.objects.get(`${PREFIX}outputs/7/2/run_instance.log`)).toBe('')
  })

  it('has no verdict before there is one', async () => {
    expect(await ask('outputs/verdict.json')).toMatchObject({ status: 404 })
  })

  it.each(['../../../other/secret', 'whatever.txt', '..%2f..%2fdata%2fp1%2findex.json'])('writes nothing else: %s', async (file) => {
    expect((await put(file, 'x')).status).toBeGreaterThanOrEqual(400)
    expect([...stage.s3.objects.keys()].filter((key) => !key.includes('/inputs/'))).toEqual([])
  })
})

describe('the capability of a sandbox', () => {
  it.each<[string, () => Promise<{ status: number }>]>([
    ['another prediction’s input', () => stage.ask(pathOf('input', 8), { token: capabilityFor(SANDBOX) })],
    ['another try’s outputs', () => stage.ask(pathOf('outputs/verdict.json', 7, 1), { token: capabilityFor(SANDBOX) })],
    ['the objects of the evaluation', () => stage.ask('/v1alpha1/namespaces/team-a/swebenchevals/lite/objects?prefix=', { token: capabilityFor(SANDBOX) })],
    ['URLs for the store', () => stage.ask('/v1alpha1/namespaces/team-a/swebenchevals/lite/presign', { method: 'POST', token: capabilityFor(SANDBOX), body: { requests: [{ method: 'GET', key: 'data/manifest.json' }] } })],
  ])('does not open %s', async (_, asked) => {
    expect((await asked()).status).toBe(401)
  })

  it.each<[string, () => void, number]>([
    ['once its pod has ended', () => stage.cachedPods.set(`team-a/${podKeyOf(SANDBOX).name}`, aSandboxPod({ status: { phase: 'Succeeded' } })), 403],
    ['without its pod', () => stage.cachedPods.clear(), 403],
    ['when its evaluation is gone', () => stage.evaluations.clear(), 410],
    ['when its evaluation is being deleted', () => stage.evaluations.set('team-a/lite', { ...EVALUATION, metadata: { ...EVALUATION.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }), 410],
    ['for a later evaluation of that name', () => stage.evaluations.set('team-a/lite', { ...EVALUATION, metadata: { ...EVALUATION.metadata, uid: 'later' } }), 401],
    ['before the caches are there', () => void (stage.state.synced = false), 503],
  ])('is void %s', async (_, change, status) => {
    change()
    expect((await ask('input')).status).toBe(status)
  })

  it('is asked of the API server where the cache does not show the pod yet', async () => {
    stage.cachedPods.clear()
    stage.livePods.set(`team-a/${podKeyOf(SANDBOX).name}`, aSandboxPod())
    expect((await ask('input')).status).toBe(200)
  })

  it('is never logged', async () => {
    await ask('input')
    await put('verdict.json', '{}')
    expect(stage.logged.join('\n')).not.toContain(capabilityFor(SANDBOX))
  })
})
