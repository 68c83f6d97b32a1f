// Two replicas of the operator in this process, against a real API server and a real store. Pods are objects only: nothing runs.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseConfig } from '../../controllers/config.ts'
import { createOperator } from '../../controllers/operator.ts'
import { connect } from '../../operator/api/kubeconfig.ts'
import type { Manager } from '../../operator/manager.ts'
import { silentLog } from '../../operator/observe/log.ts'
import { realWorld } from '../../operator/world.ts'
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts'
import { waitUntil } from '../cluster/exec.ts'
import { freePort } from '../cluster/free-port.ts'
import { kube, type Kube, type KubeJson } from '../world/kube.ts'
import { startVersitygw, type StoreServer } from '../world/versitygw.ts'

const SYSTEM = 'swe-operator-system'
const TEAM = 'team-a'
const BASE = `/v1alpha1/namespaces/${TEAM}/trainingruns/tiny`
const REPORT = { trainerStatus: { lastUpdatedTime: '2026-11-21T10:53:51.545036+00:00', progressPercentage: 57, metrics: [{ name: 'loss', value: 'nan' }, { name: 'current_step', value: '57' }, { name: 'total_steps', value: '100' }] } }

type Replica = Readonly<{ operator: Manager; port: number }>

let cluster: ControlPlane
let api: Kube
let store: StoreServer
let leader: Replica
let standby: Replica
let runUid: string
let trusting: Agent
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swe-operator-endpoint-'))
  cluster = await startControlPlane({ name: 'endpoint' })
  api = kube(cluster.binaries.kubectl, cluster.kubeconfigPath)
  await api.run(['apply', '--server-side', '-f', join(import.meta.dirname, '../../crds/generated')])
  for (const namespace of [SYSTEM, TEAM, 'team-b']) {
    await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    await api.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } })
  }
  await waitUntil('trainingruns are served', 60_000, async () => (await api.run(['get', 'trainingruns']).catch(() => undefined)) !== undefined)
  runUid = await aRun('tiny')
  await aPod('tiny-a1-x', { 'swe-operator.dev/uid': runUid, 'swe-operator.dev/role': 'train', 'swe-operator.dev/attempt': '1' })

  const storePort = await freePort()
  leader = await startReplica('swe-operator-0', storePort)
  await waitUntil('the first replica leads', 60_000, () => leader.operator.runtime.isLeading())
  standby = await startReplica('swe-operator-1', storePort)
  store = await startVersitygw(await secretOf('swe-operator-store', 'accessKeyId', 'secretAccessKey'), storePort)
  trusting = new Agent({ connect: { ca: (await secretOf('swe-operator-tls', 'ca.crt'))['ca.crt'] } })
})

afterAll(async () => {
  await trusting?.close()
  await Promise.all([leader, standby].map((replica) => replica?.operator.stop()))
  await store?.stop()
  await cluster?.stop()
  await rm(folder, { recursive: true })
})

describe('two replicas', () => {
  it('show the same certificate, made once', async () => {
    expect(await shownAt(leader.port)).toBe(await shownAt(standby.port))
  })

  it('are told apart by the label that the progress Service selects', async () => {
    const led = async (name: string) => (await api.get('pod', name, SYSTEM))?.metadata.labels?.['swe-operator.dev/leader']
    await waitUntil('the leader is labelled', 60_000, async () => (await led('swe-operator-0')) === 'true')
    expect(await led('swe-operator-1')).toBeUndefined()
  })
})

describe('a pod of a run', () => {
  it('puts an object into the store once and lists it, through either replica', async () => {
    const token = await tokenOf('tiny-a1-x')
    for (const [index, { port }] of [leader, standby].entries()) {
      await waitUntil('the bucket is open', 60_000, async () => (await ask(port, `${BASE}/objects?prefix=`, token)).status === 200)
      const signed = await ask(port, `${BASE}/presign`, token, { requests: [{ method: 'PUT', key: `result/a1/${index}.jsonl` }] })
      expect(signed).toMatchObject({ status: 200, body: { urls: [{ url: expect.any(String), headers: { 'If-None-Match': '*' } }] } })
      expect(await put(signed.body)).toBe(200)
      expect(await put(signed.body)).toBe(412)
    }
    const { body } = await ask(standby.port, `${BASE}/objects?prefix=result/`, token)
    expect(body).toMatchObject({ objects: [{ key: 'result/a1/0.jsonl', sizeBytes: 4 }, { key: 'result/a1/1.jsonl', sizeBytes: 4 }] })
  })

  it('reports progress to the leader; the standby sends it away', async () => {
    const token = await tokenOf('tiny-a1-x')
    expect(await ask(leader.port, `${BASE}/attempts/1/status`, token, REPORT)).toEqual({ status: 200, body: REPORT })
    expect(await ask(standby.port, `${BASE}/attempts/1/status`, token, REPORT)).toMatchObject({ status: 503, body: { error: { code: 'NotLeading' } } })
  })

  it('may be written in Python that verifies strictly', async () => {
    await writeFile(join(folder, 'ca.crt'), (await secretOf('swe-operator-tls', 'ca.crt'))['ca.crt'])
    await writeFile(join(folder, 'token'), await tokenOf('tiny-a1-x'))
    const client = `
import json, ssl, urllib.request
context = ssl.create_default_context(cafile="${folder}/ca.crt")
context.verify_flags |= ssl.VERIFY_X509_STRICT
request = urllib.request.Request("https://localhost:${leader.port}${BASE}/attempts/1/status", data=json.dumps(${JSON.stringify(REPORT)}).encode(),
  headers={"Content-Type": "application/json", "Authorization": "Bearer " + open("${folder}/token").read()}, method="POST")
print(urllib.request.urlopen(request, timeout=5, context=context).status)`
    expect((await promisify(execFile)('python3', ['-c', client])).stdout.trim()).toBe('200')
  })

  it('is refused for another attempt, another run and another namespace', async () => {
    const token = await tokenOf('tiny-a1-x')
    const other = await aRun('other')
    await waitUntil('the other run is seen', 60_000, async () => (await ask(leader.port, `/v1alpha1/namespaces/${TEAM}/trainingruns/other/objects?prefix=`, token)).status !== 404)
    expect((await ask(leader.port, `${BASE}/attempts/2/status`, token, REPORT)).status).toBe(403)
    expect((await ask(leader.port, `/v1alpha1/namespaces/${TEAM}/trainingruns/other/objects?prefix=`, token)).status).toBe(401)
    const forOther = await tokenOf('tiny-a1-x', `swe-operator.dev/trainingruns/${other}`)
    expect((await ask(leader.port, `/v1alpha1/namespaces/${TEAM}/trainingruns/other/objects?prefix=`, forOther)).status).toBe(403)
    await aPod('intruder', { 'swe-operator.dev/uid': runUid, 'swe-operator.dev/role': 'train', 'swe-operator.dev/attempt': '1' }, 'team-b')
    expect((await ask(leader.port, `${BASE}/objects?prefix=`, await tokenOf('intruder', undefined, 'team-b'))).status).toBe(403)
  })

  it('is told by every replica that its run is gone', async () => {
    const uid = await aRun('gone')
    await aPod('gone-a1-x', { 'swe-operator.dev/uid': uid, 'swe-operator.dev/role': 'train', 'swe-operator.dev/attempt': '1' })
    const token = await tokenOf('gone-a1-x', `swe-operator.dev/trainingruns/${uid}`)
    const statusAt = async (port: number) => (await ask(port, `/v1alpha1/namespaces/${TEAM}/trainingruns/gone/objects?prefix=`, token)).status
    expect([await statusAt(leader.port), await statusAt(standby.port)]).toEqual([200, 200])
    await api.run(['delete', 'trainingrun', 'gone', '-n', TEAM])
    for (const { port } of [leader, standby]) await waitUntil('the run is known to be gone', 60_000, async () => (await statusAt(port)) === 410)
  })

  it('is refused without the audience of its run', async () => {
    for (const audience of ['https://kubernetes.default.svc.cluster.local', 'swe-operator.dev/trainingruns/other']) {
      expect((await ask(leader.port, `${BASE}/objects?prefix=`, await tokenOf('tiny-a1-x', audience))).status).toBe(401)
    }
  })

  it('passes as soon as it exists and no longer once it has ended', async () => {
    await aPod('tiny-a1-y', { 'swe-operator.dev/uid': runUid, 'swe-operator.dev/role': 'train', 'swe-operator.dev/attempt': '1' })
    const token = await tokenOf('tiny-a1-y')
    expect((await ask(leader.port, `${BASE}/objects?prefix=`, token)).status).toBe(200)
    await api.run(['patch', 'pod', 'tiny-a1-y', '-n', TEAM, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status: { phase: 'Failed' } })])
    await waitUntil('its end is seen', 60_000, async () => (await ask(leader.port, `${BASE}/objects?prefix=`, token)).status === 403)
  })
})

describe('the leader', () => {
  it('hands its label over when it stops', async () => {
    await leader.operator.stop()
    await waitUntil('the other replica leads', 60_000, async () => (await api.get('pod', 'swe-operator-1', SYSTEM))?.metadata.labels?.['swe-operator.dev/leader'] === 'true')
    expect((await api.get('pod', 'swe-operator-0', SYSTEM))?.metadata.labels?.['swe-operator.dev/leader']).toBeUndefined()
    expect((await ask(standby.port, `${BASE}/attempts/1/status`, await tokenOf('tiny-a1-x'), REPORT)).status).toBe(200)
  })
})

async function startReplica(name: string, storePort: number): Promise<Replica> {
  const port = await freePort()
  const uid = await aPod(name, {}, SYSTEM)
  const config = {
    trainer: { image: 'trainer', gpuImage: 'trainer-gpu', imagePullPolicy: 'IfNotPresent' }, serving: { vllmImage: 'vllm:1', sglangImage: 'sglang:1' },
    harness: { image: 'harness', imagePullPolicy: 'Never' },
    store: { endpoint: `http://127.0.0.1:${storePort}`, region: 'us-east-1', bucket: 'swe-operator', credentials: { kind: 'Embedded', secretName: 'swe-operator-store' } },
    endpoints: { host: '127.0.0.1', port, healthPort: 0, artifactsHost: 'localhost', progressHost: 'localhost' },
  }
  const environment = { POD_NAME: name, POD_NAMESPACE: SYSTEM, POD_UID: uid }
  const connection = await connect({ world: realWorld, env: {}, kubeconfig: cluster.kubeconfigPath })
  const operator = createOperator(parseConfig(JSON.stringify(config), environment, name), { connection, world: realWorld, log: silentLog })
  await operator.start()
  return { operator, port }
}

async function aRun(name: string): Promise<string> {
  const spec = { method: 'SFT', engine: 'TRL', model: { s3: { uri: `s3://swe-operator/${TEAM}/m` } }, data: { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWEBench' } }, lora: {}, duration: { maxSteps: 4 } }
  await api.apply({ apiVersion: 'swe-operator.dev/v1alpha1', kind: 'TrainingRun', metadata: { name, namespace: TEAM }, spec })
  return uidOf('trainingrun', name, TEAM)
}

async function aPod(name: string, labels: Readonly<Record<string, string>>, namespace = TEAM): Promise<string> {
  const owned = Object.keys(labels).length === 0 ? {} : { 'app.kubernetes.io/managed-by': 'swe-operator', 'swe-operator.dev/training-run': 'tiny', ...labels }
  await api.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels: owned }, spec: { serviceAccountName: 'default', containers: [{ name: 'c', image: 'none' }] } })
  return uidOf('pod', name, namespace)
}

async function uidOf(kind: string, name: string, namespace: string): Promise<string> {
  return (await api.get<KubeJson>(kind, name, namespace))?.metadata.uid ?? ''
}

/** As the kubelet gets it for a projected volume: bound to the pod, for one audience. */
async function tokenOf(pod: string, audience = `swe-operator.dev/trainingruns/${runUid}`, namespace = TEAM): Promise<string> {
  const uid = await uidOf('pod', pod, namespace)
  const out = await api.run(['create', 'token', 'default', '-n', namespace, `--audience=${audience}`, '--bound-object-kind=Pod', `--bound-object-name=${pod}`, `--bound-object-uid=${uid}`])
  return out.trim()
}

/** The operator makes its Secrets when it first needs them, which may be after it leads. */
async function secretOf<K extends string>(name: string, ...keys: readonly K[]): Promise<Readonly<Record<K, string>>> {
  await waitUntil(`Secret ${name} is made`, 60_000, async () => (await api.get('secret', name, SYSTEM)) !== undefined)
  const { data = {} } = (await api.get<{ data?: Record<string, string> }>('secret', name, SYSTEM)) ?? {}
  return Object.fromEntries(keys.map((key) => [key, Buffer.from(data[key] ?? '', 'base64').toString()])) as Record<K, string>
}

async function ask(port: number, path: string, token: string, body?: unknown): Promise<Readonly<{ status: number; body: unknown }>> {
  const answer = await request(`https://localhost:${port}${path}`, {
    dispatcher: trusting, method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: body === undefined ? null : JSON.stringify(body),
  })
  return { status: answer.statusCode, body: await answer.body.json() }
}

async function put(signed: unknown): Promise<number> {
  const { urls: [first] } = signed as { urls: { url: string; headers: Record<string, string> }[] }
  const answer = await request(first?.url ?? '', { method: 'PUT', headers: first?.headers ?? {}, body: 'rows' })
  await answer.body.dump()
  return answer.statusCode
}

async function shownAt(port: number): Promise<string> {
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
  await new Promise((resolve) => socket.once('secureConnect', resolve))
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}
