import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { existingTree, processesInCgroups } from './cgroups.ts'
import { run } from './exec.ts'
import { hostInterface, processesInside } from './network.ts'
import { type ClusterPlace, placeOf, readSlot } from './state.ts'

/** What of a cluster is still on the machine though it is down, one line each; empty when it left nothing. */
export async function leftovers(name: string): Promise<readonly string[]> {
  const place = placeOf(name)
  const slot = readSlot(place)
  const processes = new Set([...await processesInside(place), ...await processesInCgroups(place), ...await processesNaming(place)])
  const links = await run('ip', ['-o', 'link', 'show'])
  return [
    ...[...processes].map(pid => `process ${pid} ${commandLine(pid)}`),
    ...(await mountsOf(place)).map(path => `mount ${path}`),
    ...(existsSync(place.namespacePath) ? [`network namespace ${place.namespace}`] : []),
    ...(slot !== undefined && links.includes(` ${hostInterface(slot)}@`) ? [`interface ${hostInterface(slot)}`] : []),
    ...(await existingTree(place)).map(path => `cgroup ${path}`),
    ...(existsSync(place.runDirectory) ? [`directory ${place.runDirectory}`] : []),
    ...(await logLinks(place)).map(path => `link ${path}`),
    ...(await cniResults(place)).map(path => `file ${path}`),
  ]
}

/** Mount points of the cluster, the innermost first. */
export async function mountsOf(place: ClusterPlace): Promise<readonly string[]> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map(line => line.split(' ')[1] ?? '')
  return mounts.filter(path => belongs(place, path)).toReversed()
}

/** Links the kubelet makes for log collectors, in a directory it lets nobody choose. */
export async function logLinks(place: ClusterPlace): Promise<readonly string[]> {
  const directory = '/var/log/containers'
  const names = await readdir(directory).catch(() => [])
  return names.map(name => join(directory, name)).filter(path => belongs(place, readLink(path)))
}

/** What the CNI library remembers of each pod, in a directory it lets nobody choose. */
export async function cniResults(place: ClusterPlace): Promise<readonly string[]> {
  const directory = '/var/lib/cni/results'
  const paths = (await readdir(directory).catch(() => [])).map(name => join(directory, name))
  const contents = await Promise.all(paths.map(path => readFile(path, 'utf8').catch(() => '')))
  return paths.filter((_path, at) => contents[at]?.includes(`${place.runDirectory}/`)) // each names the pod's network namespace
}

/** Processes started with one of the cluster's own files, wherever they live. */
async function processesNaming(place: ClusterPlace): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter(entry => /^\d+$/.test(entry)).map(Number)
  return pids.filter(pid => {
    const shown = commandLine(pid)
    return shown.includes('containerd-shim') && shown.includes(`${place.runDirectory}/`)
  })
}

function belongs(place: ClusterPlace, path: string): boolean {
  return path.startsWith(`${place.directory}/`) || path.startsWith(`${place.runDirectory}/`)
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').slice(0, 200)
  } catch {
    return ''
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
