import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { withLock } from './lock.ts'
import { clustersDirectory } from './paths.ts'
import { type Addresses, addressesOf, chooseSlot } from './slots.ts'

/** Where everything of one named cluster is. Nothing here says whether it runs. */
export type ClusterPlace = Readonly<{
  name: string
  /** Lasts until `reset`: etcd, images, volumes, certificates, logs. */
  directory: string
  /** Lasts until `down`: sockets, pid files. Short, because socket paths end at 107 characters. */
  runDirectory: string
  namespace: string
  namespacePath: string
  /** Path of the cgroup in every hierarchy. */
  cgroup: string
}>

const NAME = /^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$/

/** Throws when the name would not do for network namespaces, cgroups and nodes. */
export function placeOf(name: string): ClusterPlace {
  if (!NAME.test(name)) throw new Error(`"${name}" cannot name a cluster: use 1–20 of a–z, 0–9 and -, starting with a letter.`)
  return {
    name,
    directory: join(clustersDirectory(), name),
    runDirectory: `/run/swe-operator/${name}`,
    namespace: `swe-${name}`,
    namespacePath: `/run/netns/swe-${name}`,
    cgroup: `swe-${name}`,
  }
}

const recordSchema = z.object({ slot: z.int().min(0) })

/** Names of the clusters that have state here, running or not. */
export async function listClusters(): Promise<readonly string[]> {
  const entries = await readdir(clustersDirectory(), { withFileTypes: true }).catch(() => [])
  return entries.filter(entry => entry.isDirectory() && NAME.test(entry.name)).map(entry => entry.name)
}

/** The cluster's slot, or undefined while it has none. */
export function readSlot(place: ClusterPlace): number | undefined {
  const path = join(place.directory, 'cluster.json')
  return existsSync(path) ? recordSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).slot : undefined
}

/** Gives the cluster a network of its own, once. */
export async function claimAddresses(place: ClusterPlace): Promise<Addresses & Readonly<{ slot: number }>> {
  const slot = await withLock(join(clustersDirectory(), 'slots.lock'), async () => {
    const own = readSlot(place)
    if (own !== undefined) return own
    const others = (await listClusters()).map(name => readSlot(placeOf(name)))
    const chosen = chooseSlot(others.filter(other => other !== undefined), hostAddresses())
    await mkdir(place.directory, { recursive: true })
    await writeFile(join(place.directory, 'cluster.json.tmp'), `${JSON.stringify({ slot: chosen })}\n`)
    await rename(join(place.directory, 'cluster.json.tmp'), join(place.directory, 'cluster.json'))
    return chosen
  })
  return { slot, ...addressesOf(slot) }
}

function hostAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap(addresses => (addresses ?? []).map(({ address }) => address))
}
