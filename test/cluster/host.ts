import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run } from './exec.ts'
import type { Progress } from './progress.ts'
import { debianPackages } from './versions.ts'

/** A file that shows that a package is there: a command in PATH, or an absolute path. */
const evidence: Readonly<Record<(typeof debianPackages)[number], string>> = {
  containerd: 'containerd',
  runc: 'runc',
  'containernetworking-plugins': '/usr/lib/cni/bridge',
  iptables: 'iptables',
  iproute2: 'ip',
  conntrack: 'conntrack',
  'busybox-static': '/bin/busybox',
  buildah: 'buildah',
  mmdebstrap: 'mmdebstrap',
  gpg: 'gpg',
  'debian-archive-keyring': '/usr/share/keyrings/debian-archive-trixie-stable.gpg', // an old one does not know trixie
  openssl: 'openssl',
  'util-linux': 'nsenter',
  'ca-certificates': '/etc/ssl/certs/ca-certificates.crt',
}

/** What a machine is, as far as a node needs to know. */
export type Machine = Readonly<{ platform: string; userId: number; missingPackages: readonly string[]; hasApt: boolean }>

/** Why a whole node cannot run on this machine and what to do about it; undefined when it can, after `apt-get install` at most. */
export function objection(machine: Machine): string | undefined {
  if (machine.platform !== 'linux') {
    return `The local cluster needs Linux; this is ${machine.platform}. Use a Linux machine or VM (Debian 12 is tried), or install the chart on a cluster you have: see README.md.`
  }
  if (machine.userId !== 0) {
    return 'The local cluster makes network namespaces, mounts and cgroups and needs root: run the same command with sudo, or install the chart on a cluster you have: see README.md.'
  }
  if (machine.missingPackages.length > 0 && !machine.hasApt) {
    return `The local cluster needs what Debian calls ${machine.missingPackages.join(', ')}. Install these with your system's package manager and try again.`
  }
  return undefined
}

/** Makes sure that a node can run here; on Debian missing packages are installed. Throws with what to do. */
export async function requireHost(progress: Progress): Promise<void> {
  const machine = thisMachine()
  const reason = objection(machine)
  if (reason !== undefined) throw new Error(reason)
  if (machine.missingPackages.length === 0) return
  await progress(`apt-get install ${machine.missingPackages.join(' ')}`, async () => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
    // Another source's trouble need not be ours: what counts is whether the packages can be installed afterwards.
    await run('apt-get', ['update', '-q'], { env }).catch(() => undefined)
    await run('apt-get', ['install', '-qy', '--no-install-recommends', ...machine.missingPackages], { env })
  })
}

function thisMachine(): Machine {
  return {
    platform: process.platform,
    userId: process.getuid?.() ?? -1,
    missingPackages: debianPackages.filter(name => !present(evidence[name])),
    hasApt: present('apt-get'),
  }
}

function present(file: string): boolean {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return file.startsWith('/') ? existsSync(file) : directories.some(directory => existsSync(join(directory, file)))
}
