import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { applyAddons } from './addons.ts'
import { type Binaries, binaryPaths, ensureBinaries } from './binaries.ts'
import { createCgroups } from './cgroups.ts'
import { containerdReady, importArchive, listImages, nameByDigest } from './containerd.ts'
import { AUDIT_LOG } from './control-plane-commands.ts'
import { daemonPid, knownDaemons, startDaemon, stopDaemon } from './daemons.ts'
import { run, succeeds, waitUntil } from './exec.ts'
import { requireHost } from './host.ts'
import { rememberKernelSettings } from './kernel-settings.ts'
import { withLock } from './lock.ts'
import { createNetwork } from './network.ts'
import { type Component, components, adminKubeconfig, type Node, prepareNode } from './node.ts'
import { NODE_NAME, PAUSE_IMAGE } from './node-files.ts'
import { ensurePauseImage } from './pause-image.ts'
import { withArchive } from './buildah.ts'
import { clustersDirectory } from './paths.ts'
import { lines, type Progress } from './progress.ts'
import { addressesOf } from './slots.ts'
import { claimAddresses, type ClusterPlace, placeOf, readSlot } from './state.ts'
import { tearDown } from './teardown.ts'

const READY_TIMEOUT_MS = 180_000

/** A named cluster as tests and people use it. */
export type ClusterHandle = Readonly<{
  name: string
  /** Of a cluster administrator; usable from this machine, outside the cluster's network namespace too. */
  kubeconfigPath: string
  binaries: Binaries
  /** Requests at Metadata level, one JSON object a line, without those of the cluster's own components. */
  auditLogPath: string
  logDirectory: string
  /** Reaches NodePorts and the API server (port 6443) from this machine. */
  nodeAddress: string
  nodeName: string
  /** SIGKILL and start again; resolves once the component is back at work. */
  restart(component: Component): Promise<void>
  images: Readonly<{
    list(): Promise<readonly string[]>
    /** An archive in OCI or Docker format. */
    import(archivePath: string): Promise<void>
    /** Makes an image known by its digest too, as if it had been pulled so; resolves with that name. */
    nameByDigest(reference: string): Promise<string>
  }>
}>

export type UpOptions = Readonly<{
  /** Gets a line per step. */
  progress?: (line: string) => void
}>

/**
 * Brings the named cluster up: node Ready, DNS answering, default service account there. Does only what is missing,
 * so it can be repeated at any time. Throws with what to do when this machine cannot run it.
 */
export async function upCluster(name: string, options: UpOptions = {}): Promise<ClusterHandle> {
  const place = placeOf(name)
  const progress = lines(options.progress ?? (() => { /* nobody listens */ }))
  await requireHost(progress)
  const binaries = await ensureBinaries(progress)
  await withLock(lockOf(place), () => start(place, binaries, progress))
  return clusterHandle(name)
}

/** Ends the cluster and takes its traces off the machine. Its state stays, and `upCluster` continues with it. */
export async function downCluster(name: string): Promise<void> {
  const place = placeOf(name)
  await withLock(lockOf(place), () => tearDown(place))
}

/** Ends the cluster and forgets its state: objects, volumes, images, logs. */
export async function deleteCluster(name: string): Promise<void> {
  const place = placeOf(name)
  await withLock(lockOf(place), async () => {
    await tearDown(place)
    await rm(place.directory, { recursive: true, force: true })
  })
  await rm(lockOf(place), { force: true })
}

/** The named cluster, which must have been up once. Says nothing about whether it is up now. */
export function clusterHandle(name: string): ClusterHandle {
  const place = placeOf(name)
  const slot = readSlot(place)
  if (slot === undefined || !existsSync(adminKubeconfig(place))) {
    throw new Error(`There is no cluster "${name}". Make it with: npm run cluster -- up --name ${name}`)
  }
  return {
    name,
    kubeconfigPath: adminKubeconfig(place),
    binaries: binaryPaths(),
    auditLogPath: join(place.directory, AUDIT_LOG),
    logDirectory: join(place.directory, 'log'),
    nodeAddress: addressesOf(slot).node,
    nodeName: NODE_NAME,
    restart: component => restart(place, slot, component),
    images: { list: () => listImages(place), import: archive => importArchive(place, archive), nameByDigest: reference => nameByDigest(place, reference) },
  }
}

/** Runs kubectl as administrator and returns its standard output. Throws `CommandFailed` with what it said. */
export function kubectl(handle: Pick<ClusterHandle, 'binaries' | 'kubeconfigPath'>, args: readonly string[], input?: string): Promise<string> {
  const env = { ...process.env, NO_PROXY: '*', no_proxy: '*' }
  return run(handle.binaries.kubectl, ['--kubeconfig', handle.kubeconfigPath, ...args], { env, ...(input === undefined ? {} : { input }) })
}

/** Which processes of the cluster run. */
export function runningComponents(name: string): Readonly<Record<Component, number | undefined>> {
  const place = placeOf(name)
  const pid = (component: Component) => daemonPid(place, component)
  return {
    etcd: pid('etcd'),
    'kube-apiserver': pid('kube-apiserver'),
    'kube-controller-manager': pid('kube-controller-manager'),
    'kube-scheduler': pid('kube-scheduler'),
    containerd: pid('containerd'),
    kubelet: pid('kubelet'),
    'kube-proxy': pid('kube-proxy'),
    coredns: pid('coredns'),
    'local-path-provisioner': pid('local-path-provisioner'),
  }
}

async function start(place: ClusterPlace, binaries: Binaries, progress: Progress): Promise<void> {
  const { slot, ...addresses } = await claimAddresses(place)
  // Processes in a namespace that lost its name are out of reach of the ones started now.
  const lost = !existsSync(place.namespacePath) && (await knownDaemons(place)).length > 0
  if (lost) await progress('clear what an earlier run left', () => tearDown(place))
  await rememberKernelSettings()
  const node = await progress('network, certificates, configuration', async () => {
    await createNetwork(place, slot, addresses)
    await createCgroups(place)
    return prepareNode(binaries, place, addresses.node)
  })
  await Promise.all([
    progress('etcd, API server, controllers, scheduler', () => startControlPlane(node, binaries)),
    progress('containerd', () => startRuntime(node)),
  ])
  await progress('kubelet, kube-proxy, DNS, storage: node Ready', () => startNode(node, binaries))
}

async function startControlPlane(node: Node, binaries: Binaries): Promise<void> {
  await launch(node, 'etcd')
  await launch(node, 'kube-apiserver')
  await apiServerReady(node.place, binaries)
  await Promise.all([launch(node, 'kube-controller-manager'), launch(node, 'kube-scheduler')])
}

async function startRuntime(node: Node): Promise<void> {
  await launch(node, 'containerd')
  await containerdReady(node.place)
  if ((await listImages(node.place)).includes(PAUSE_IMAGE)) return
  await ensurePauseImage()
  await withArchive(PAUSE_IMAGE, archive => importArchive(node.place, archive))
}

async function startNode(node: Node, binaries: Binaries): Promise<void> {
  const { place, layout } = node
  const since = daemonPid(place, 'kubelet') === undefined ? new Date() : new Date(0)
  await Promise.all([launch(node, 'kubelet'), launch(node, 'kube-proxy'), launch(node, 'coredns')])
  await applyAddons(binaries, place, layout.address)
  await launch(node, 'local-path-provisioner')
  const kubectl = (...args: string[]) => succeeds(binaries.kubectl, ['--kubeconfig', adminKubeconfig(place), ...args], { timeoutMs: 30_000 })
  const hint = `see ${join(place.directory, 'log')}`
  await waitUntil(`the node is Ready (${hint})`, READY_TIMEOUT_MS, () => nodeReady(binaries, place, since))
  await waitUntil(`DNS answers (${hint})`, READY_TIMEOUT_MS, () => fetch(`http://${layout.address}:8181/ready`).then(answer => answer.ok, () => false))
  await waitUntil(`the default service account is there (${hint})`, READY_TIMEOUT_MS, () => kubectl('get', 'serviceaccount', 'default', '--namespace', 'default'))
}

const readySchema = z.object({ status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string(), lastHeartbeatTime: z.string() })) }) })

/** Ready, as a kubelet said that was alive after `since`: what an earlier one said still stands in the API. */
async function nodeReady(binaries: Binaries, place: ClusterPlace, since: Date): Promise<boolean> {
  const args = ['--kubeconfig', adminKubeconfig(place), 'get', 'node', NODE_NAME, '-o', 'json']
  const output = await run(binaries.kubectl, args, { timeoutMs: 30_000 }).catch(() => undefined)
  if (output === undefined) return false
  const ready = readySchema.parse(JSON.parse(output)).status.conditions.find(({ type }) => type === 'Ready')
  return ready?.status === 'True' && new Date(ready.lastHeartbeatTime).getTime() + 1_000 > since.getTime()
}

async function restart(place: ClusterPlace, slot: number, component: Component): Promise<void> {
  const binaries = binaryPaths()
  const node = await prepareNode(binaries, place, addressesOf(slot).node)
  await stopDaemon(place, component, 'SIGKILL')
  await launch(node, component)
  if (component === 'etcd' || component === 'kube-apiserver') await apiServerReady(place, binaries)
  if (component === 'containerd') await containerdReady(place)
}

async function launch(node: Node, component: Component): Promise<void> {
  await startDaemon(node.place, component, node.commands[component])
}

function apiServerReady(place: ClusterPlace, binaries: Binaries): Promise<void> {
  const args = ['--kubeconfig', adminKubeconfig(place), 'get', '--raw', '/readyz']
  return waitUntil(`the API server is ready (see ${join(place.directory, 'log')})`, READY_TIMEOUT_MS, () => {
    for (const component of ['etcd', 'kube-apiserver']) {
      if (daemonPid(place, component) === undefined) throw new Error(`${component} ended; see ${join(place.directory, 'log', `${component}.log`)}`)
    }
    return succeeds(binaries.kubectl, args, { timeoutMs: 5_000, env: { ...process.env, NO_PROXY: '*', no_proxy: '*' } })
  })
}

function lockOf(place: ClusterPlace): string {
  return join(clustersDirectory(), `${place.name}.lock`)
}

export { components }
export type { Component }
