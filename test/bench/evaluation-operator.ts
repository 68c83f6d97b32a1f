import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ARTIFACTS_SERVICE } from '../../controllers/endpoint/address.ts'
import { createObjectStore, type ObjectStore } from '../../controllers/store/store.ts'
import { PodType, ServiceType } from '../../controllers/shared/kinds.ts'
import { realWorld } from '../../operator/world.ts'
import { freePort } from '../cluster/free-port.ts'
import { startVersitygw } from '../world/versitygw.ts'
import { SYSTEM, type KwokCluster } from './kwok-cluster.ts'
import { answerOf, ask, bundleOf, forkOperator } from './processes.ts'
import { makeServiceAccount } from './service-account.ts'

const POD = 'swe-operator-0'

/** Since the last reset. */
export type LoopReport = Readonly<{ lagP99Ms: number; lagMaxMs: number }>

/** A running operator. */
export type OperatorProcess = Readonly<{
  pid: number
  /** When the kernel was asked for it, by the clock of the audit log. */
  startedAt: Date
  /** Rejects if it ends before it is asked to; never resolves. */
  lost: Promise<never>
  resetReport(): Promise<void>
  report(): Promise<LoopReport>
  /** Lists every kind anew, as a new leader does. */
  relist(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
  stop(): Promise<void>
}>

/** Where the operator can run: its store, its configuration, its identity. */
export type OperatorSite = Readonly<{
  /** Of the operator, as the audit log names it. */
  user: string
  store: ObjectStore
  /** One process at a time: each is the same pod, restarted. Resolves once it takes part in the election. */
  start(): Promise<OperatorProcess>
  stop(): Promise<void>
}>

/** The real operator and a real store beside a KWOK cluster, both on this machine. */
export async function openOperatorSite({ plane, client }: KwokCluster): Promise<OperatorSite> {
  const key = { accessKeyId: 'bench', secretAccessKey: 'bench-secret' }
  const directory = await mkdtemp(join(tmpdir(), 'swe-operator-bench-'))
  const account = await makeServiceAccount(plane, SYSTEM, 'swe-operator')
  const server = await startVersitygw(key)
  const settings = { endpoint: server.endpoint, region: 'us-east-1', bucket: 'swe-operator', pathStyle: true }
  const store = createObjectStore(settings, async () => key, realWorld)
  await store.createBucketIfMissing()
  await mkdir(join(directory, 'key'))
  for (const [name, value] of Object.entries(key)) await writeFile(join(directory, 'key', name), value)
  await writeFile(join(directory, 'config.json'), JSON.stringify(await configuration({ ...settings, credentials: { kind: 'Files', directory: join(directory, 'key') } })))
  await client.create(ServiceType, serviceOfTheEndpoint)
  const { metadata } = await client.create(PodType, podOfTheOperator)
  const env = { ...account.env, SWE_OPERATOR_CONFIG: join(directory, 'config.json'), POD_NAME: POD, POD_NAMESPACE: SYSTEM, POD_UID: metadata.uid ?? '', NODE_ENV: 'production' }
  const program = await bundleOf(join(import.meta.dirname, 'evaluation-process.ts'), directory)
  return {
    user: account.user,
    store,
    start: () => start(program, env),
    stop: async () => {
      await store.close()
      await server.stop()
      await account.remove()
      await rm(directory, { recursive: true })
    },
  }
}

async function start(program: string, env: NodeJS.ProcessEnv): Promise<OperatorProcess> {
  const startedAt = new Date()
  const child = await forkOperator(program, env)
  let isAsked = false
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const lost = new Promise<never>((_resolve, reject) => child.once('exit', () => {
    if (!isAsked) reject(new Error('the operator ended by itself'))
  }))
  lost.catch(() => undefined) // nobody may be waiting for it
  await answerOf(child)
  return {
    pid: child.pid ?? 0,
    startedAt,
    lost,
    resetReport: async () => void (await ask(child, 'reset')),
    report: () => ask<LoopReport>(child, 'report'),
    relist: async () => void (await ask(child, 'relist')),
    kill: async () => {
      isAsked = true
      child.kill('SIGKILL')
      await gone
    },
    stop: async () => {
      isAsked = true
      child.send('stop')
      await gone
    },
  }
}

async function configuration(store: object): Promise<object> {
  const image = (name: string): string => `registry.example.com/swe-operator/${name}:0.1.0`
  return {
    logLevel: 'error',
    trainer: { image: image('trainer'), gpuImage: image('trainer-gpu'), imagePullPolicy: 'IfNotPresent' }, serving: { vllmImage: 'vllm:1', sglangImage: 'sglang:1' },
    harness: { image: image('harness'), imagePullPolicy: 'IfNotPresent' },
    store,
    endpoints: { host: '127.0.0.1', port: await freePort(), healthPort: await freePort() },
  }
}

/** Where sandboxes would find the endpoint. */
const serviceOfTheEndpoint = {
  apiVersion: 'v1', kind: 'Service',
  metadata: { namespace: SYSTEM, name: ARTIFACTS_SERVICE },
  spec: { ports: [{ port: 8443 }] },
}

/** What the operator labels when it leads. */
const podOfTheOperator = {
  apiVersion: 'v1', kind: 'Pod',
  metadata: { namespace: SYSTEM, name: POD },
  spec: { automountServiceAccountToken: false, containers: [{ name: 'operator', image: 'operator' }] },
}
