import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ClusterHandle, clusterHandle, type Component, deleteCluster, downCluster, kubectl, runningComponents, upCluster } from './cluster.ts'
import { run, waitUntil } from './exec.ts'
import { leftovers } from './leftovers.ts'
import { hostInterface } from './network.ts'
import { PAUSE_IMAGE } from './node-files.ts'
import { lines } from './progress.ts'
import { placeOf, readSlot } from './state.ts'

const WORKS_TIMEOUT_MS = 180_000
const KILLED_AFTER_MS = [400, 1_500, 4_000] // while the network is made, the API server starts, the node registers

/**
 * Proves on a cluster of its own what the README promises: it works, every component can be killed, `up` can be killed
 * and repeated, and `down` leaves nothing. Takes about a minute; throws at the first thing that does not hold.
 */
export async function proveLifecycle(name: string, say: (line: string) => void): Promise<void> {
  const step = lines(say)
  await step('start from nothing', () => deleteCluster(name))
  const before = await traces()
  await step('up', () => upCluster(name))
  const cluster = clusterHandle(name)
  try {
    await step('Services, DNS, volumes, logs and exec work', () => work(cluster))
    for (const component of killed) await step(`kill -9 of ${component}`, () => survives(cluster, component))
    await step('up again changes nothing', () => upCluster(name))
    await step('up when our end of its cable is out of reach', () => plugsAgain(cluster))
    await step('down', () => downCluster(name))
    await step('nothing is left', () => nothingLeft(name, before))
    for (const ms of KILLED_AFTER_MS) await step(`up, killed after ${ms} ms`, () => killedUp(name, ms))
    await step('up after that, with its state', () => upCluster(name).then(() => stillThere(cluster)))
  } finally {
    await step('delete', () => deleteCluster(name))
  }
  await step('nothing is left', () => nothingLeft(name, before))
}

const killed: readonly Component[] = ['kube-apiserver', 'etcd', 'kubelet', 'containerd', 'kube-controller-manager', 'kube-proxy', 'coredns', 'local-path-provisioner']

async function work(cluster: ClusterHandle): Promise<void> {
  await kubectl(cluster, ['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [web(), client(), service(), claim()] }))
  await kubectl(cluster, ['wait', 'pod/web', 'pod/client', '--for=condition=Ready', '--timeout=60s'])
  await kubectl(cluster, ['exec', 'web', '--', '/bin/sh', '-c', '/busybox echo kept > /data/page'])
  await answers(cluster)
  await waitUntil('kubectl logs shows the log', WORKS_TIMEOUT_MS, async () => (await kubectl(cluster, ['logs', 'client'])).includes('started'))
}

/** A pod reaches another by the name of a Service, through its volume's content. */
function answers(cluster: ClusterHandle): Promise<void> {
  // Debian's static busybox crashes in `wget -T`.
  const fetchPage = ['exec', 'client', '--', '/busybox', 'timeout', '3', '/busybox', 'wget', '-q', '-O', '-', 'http://web.default.svc.cluster.local/page']
  return waitUntil('a pod reaches the Service by name', WORKS_TIMEOUT_MS, async () => (await kubectl(cluster, fetchPage).catch(() => '')) === 'kept\n')
}

// The others elect a leader and may end, and be started again, while the API server is away.
const ON_THE_NODE: readonly Component[] = ['containerd', 'kubelet', 'kube-proxy']

async function survives(cluster: ClusterHandle, component: Component): Promise<void> {
  const before = runningComponents(cluster.name)
  await cluster.restart(component)
  await answers(cluster)
  const after = runningComponents(cluster.name)
  const fallen = ON_THE_NODE.filter(other => other !== component && before[other] !== after[other])
  if (fallen.length > 0) throw new Error(`${fallen.join(', ')} ended with it`)
  const restarts = await kubectl(cluster, ['get', 'pod', 'web', '-o', 'jsonpath={.status.containerStatuses[0].restartCount}'])
  if (restarts !== '0') throw new Error(`the pod was restarted ${restarts} times`)
}

/** As when an `up` in another container, with a network of its own, made the cable. */
async function plugsAgain(cluster: ClusterHandle): Promise<void> {
  const slot = readSlot(placeOf(cluster.name)) ?? 0
  const elsewhere = `swe-${cluster.name}-far`
  await run('ip', ['netns', 'add', elsewhere])
  try {
    await run('ip', ['link', 'set', hostInterface(slot), 'netns', elsewhere])
    await upCluster(cluster.name)
  } finally {
    await run('ip', ['netns', 'delete', elsewhere])
  }
  await answers(cluster)
}

async function stillThere(cluster: ClusterHandle): Promise<void> {
  await kubectl(cluster, ['wait', 'pod/web', 'pod/client', '--for=condition=Ready', '--timeout=90s'])
  await answers(cluster)
}

async function killedUp(name: string, afterMs: number): Promise<void> {
  const child: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, 'cli.ts'), 'up', '--name', name], { stdio: 'ignore' })
  const ended = new Promise(resolve => child.once('exit', resolve))
  await new Promise(resolve => setTimeout(resolve, afterMs))
  child.kill('SIGKILL')
  await ended
}

/** What a cluster could leave on the machine outside its own places. */
async function traces(): Promise<Readonly<Record<string, string>>> {
  const rules = await run('iptables-save', [])
  return {
    'packet-filter rules': rules.replaceAll(/^#.*$|\[\d+:\d+\]/gm, ''),
    interfaces: namesIn(await run('ip', ['-o', '-br', 'link'])),
    namespaces: namesIn(await run('ip', ['netns', 'list'])),
    forwarding: await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8'),
  }
}

/** First words, without those of clusters, which others may start and end meanwhile; ours has `leftovers`. */
function namesIn(table: string): string {
  return table.split('\n').map(line => line.split(' ')[0] ?? '').filter(name => !name.startsWith('swe-')).sort().join(' ')
}

async function nothingLeft(name: string, before: Readonly<Record<string, string>>): Promise<void> {
  const rest = await leftovers(name)
  if (rest.length > 0) throw new Error(`left behind:\n  ${rest.join('\n  ')}`)
  const after = await traces()
  for (const [what, state] of Object.entries(before)) {
    if (after[what] !== state) throw new Error(`${what} changed.\nbefore: ${state}\nafter: ${after[what]}`)
  }
}

const image = { image: PAUSE_IMAGE, imagePullPolicy: 'Never' }
const metadata = (name: string) => ({ name, namespace: 'default', labels: { app: name } })

function web(): object {
  const container = { name: 'web', ...image, command: ['/busybox', 'httpd', '-f', '-p', '8080', '-h', '/data'], volumeMounts: [{ name: 'data', mountPath: '/data' }] }
  return { apiVersion: 'v1', kind: 'Pod', metadata: metadata('web'), spec: { containers: [container], volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'web' } }] } }
}

function client(): object {
  const container = { name: 'client', ...image, command: ['/bin/sh', '-c', '/busybox echo started; exec /busybox sleep 100000'] }
  return { apiVersion: 'v1', kind: 'Pod', metadata: metadata('client'), spec: { containers: [container] } }
}

function service(): object {
  return { apiVersion: 'v1', kind: 'Service', metadata: metadata('web'), spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] } }
}

function claim(): object {
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: metadata('web'), spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } } }
}
