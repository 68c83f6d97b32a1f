import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClusterPlace } from './state.ts'

const ROOT = '/sys/fs/cgroup'
const isUnified = () => existsSync(join(ROOT, 'cgroup.controllers'))

/** Where the cluster's cgroup is: in one place with cgroup v2, in every hierarchy with v1. */
export async function cgroupDirectories(place: ClusterPlace): Promise<readonly string[]> {
  if (isUnified()) return [join(ROOT, place.cgroup)]
  const hierarchies = await readdir(ROOT, { withFileTypes: true })
  return hierarchies.filter(entry => entry.isDirectory()).map(entry => join(ROOT, entry.name, place.cgroup))
}

/** Makes the cgroup all pods of the cluster live under. */
export async function createCgroups(place: ClusterPlace): Promise<void> {
  if (isUnified()) await delegateControllers(ROOT)
  for (const directory of await cgroupDirectories(place)) {
    // A directory of /sys/fs/cgroup that is no mounted hierarchy refuses; the kubelet does not miss it.
    await mkdir(directory).catch((error: NodeJS.ErrnoException) => {
      if (!['EEXIST', 'EPERM', 'ENOENT', 'EACCES'].includes(error.code ?? '')) throw error
    })
    if (isUnified()) await delegateControllers(directory)
    await inheritCpuset(directory)
  }
}

async function delegateControllers(directory: string): Promise<void> {
  const controllers = (await readFile(join(directory, 'cgroup.controllers'), 'utf8')).trim().split(' ').filter(Boolean)
  await writeFile(join(directory, 'cgroup.subtree_control'), controllers.map(name => `+${name}`).join(' '))
}

/** A fresh v1 cpuset has no CPUs and takes no process. */
async function inheritCpuset(directory: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (!existsSync(join(directory, file))) continue
    await writeFile(join(directory, file), await readFile(join(directory, '..', file)))
  }
}

/** Every process of every container of the cluster. */
export async function processesInCgroups(place: ClusterPlace): Promise<readonly number[]> {
  const found = new Set<number>()
  for (const directory of await existingTree(place)) {
    const text = await readFile(join(directory, 'cgroup.procs'), 'utf8').catch(() => '')
    for (const line of text.split('\n').filter(Boolean)) found.add(Number(line))
  }
  return [...found]
}

/** Removes the cgroups, leaves first. Throws EBUSY while a process lives in one of them. */
export async function removeCgroups(place: ClusterPlace): Promise<void> {
  for (const directory of await existingTree(place)) await rmdir(directory)
}

/** The directories there are, children before parents. */
export async function existingTree(place: ClusterPlace): Promise<readonly string[]> {
  const all: string[] = []
  const visit = async (directory: string): Promise<void> => {
    const entries = await readdir(directory, { withFileTypes: true }).catch(() => [])
    for (const entry of entries) if (entry.isDirectory()) await visit(join(directory, entry.name))
    all.push(directory)
  }
  for (const directory of await cgroupDirectories(place)) if (existsSync(directory)) await visit(directory)
  return all
}
