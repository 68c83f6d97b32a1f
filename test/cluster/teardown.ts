import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { processesInCgroups, removeCgroups } from './cgroups.ts'
import { knownDaemons, stopDaemon } from './daemons.ts'
import { run, succeeds, waitUntil } from './exec.ts'
import { restoreKernelSettings } from './kernel-settings.ts'
import { cniResults, logLinks, mountsOf } from './leftovers.ts'
import { deleteNetwork, processesInside } from './network.ts'
import { type ClusterPlace, readSlot } from './state.ts'

const GONE_TIMEOUT_MS = 60_000

/** These two write to disk what they know when they are asked to end; the others have nothing to lose. */
const polite = new Set(['etcd', 'containerd'])

/** Ends everything of a cluster and takes its traces off the machine; its state directory stays. */
export async function tearDown(place: ClusterPlace): Promise<void> {
  const daemons = await knownDaemons(place)
  // The kubelet first, or it would start again what is ended next.
  for (const name of daemons.filter(daemon => !polite.has(daemon))) await stopDaemon(place, name, 'SIGKILL')
  await killAll('containers', () => processesInCgroups(place))
  for (const name of daemons.filter(daemon => polite.has(daemon))) await stopDaemon(place, name, 'SIGTERM')
  await killAll('processes', () => processesInside(place))
  await unmountAll(place)
  await deleteNetwork(place, readSlot(place))
  await waitUntil('the cgroups are gone', GONE_TIMEOUT_MS, () => removeCgroups(place).then(() => true, () => false))
  for (const path of [...await logLinks(place), ...await cniResults(place), ...await deadShimSockets()]) await rm(path, { force: true })
  await rm(place.runDirectory, { recursive: true, force: true })
  await restoreKernelSettings()
}

/** Repeats, for what starts a process while it dies. */
async function killAll(what: string, find: () => Promise<readonly number[]>): Promise<void> {
  await waitUntil(`all ${what} have ended`, GONE_TIMEOUT_MS, async () => {
    const pids = await find()
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It ended by itself since it was found.
      }
    }
    return pids.length === 0
  }, 50)
}

async function unmountAll(place: ClusterPlace): Promise<void> {
  for (const path of await mountsOf(place)) {
    if (!(await succeeds('umount', [path]))) await run('umount', ['--lazy', path])
  }
}

/** A shim that was killed leaves its socket in a directory that all containerds of the machine share. */
async function deadShimSockets(): Promise<readonly string[]> {
  const directory = '/run/containerd/s'
  const alive = await readFile('/proc/net/unix', 'utf8')
  const paths = (await readdir(directory).catch(() => [])).map(name => join(directory, name))
  return paths.filter(path => !alive.includes(path))
}
