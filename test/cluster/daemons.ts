import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Command } from './control-plane-commands.ts'
import { waitUntil } from './exec.ts'
import { inside } from './network.ts'
import type { ClusterPlace } from './state.ts'

const START_TIMEOUT_MS = 30_000
const KILL_AFTER_MS = 15_000

/** Writes down who it is before it becomes the daemon: were it our task, a daemon would be lost if we were killed in between. */
const introduceThenBecome = 'cat /proc/sys/kernel/random/boot_id "/proc/$$/stat" > "$0.tmp" && mv "$0.tmp" "$0" && exec "$@"'

/** Starts a daemon in the cluster's network namespace, detached from us, unless it runs already. */
export async function startDaemon(place: ClusterPlace, name: string, command: Command): Promise<void> {
  if (daemonPid(place, name) !== undefined) return
  await mkdir(place.runDirectory, { recursive: true })
  await mkdir(join(place.directory, 'log'), { recursive: true })
  const logPath = join(place.directory, 'log', `${name}.log`)
  const log = openSync(logPath, 'a')
  const [program, ...args] = [...inside(place), 'sh', '-c', introduceThenBecome, pidFile(place, name), ...command]
  const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log], cwd: place.directory, env: daemonEnvironment() })
  closeSync(log)
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  await waitUntil(`${name} has started (see ${logPath})`, START_TIMEOUT_MS, () => daemonPid(place, name) === child.pid, 5)
  child.unref()
}

/** The daemon's process id, or undefined when it does not run. A stale pid file counts as not running. */
export function daemonPid(place: ClusterPlace, name: string): number | undefined {
  const [boot, ...stat] = (readIfThere(pidFile(place, name)) ?? '').split('\n')
  const written = parseStat(stat.join('\n'))
  if (written === undefined || boot !== readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()) return undefined
  const now = parseStat(readIfThere(`/proc/${written.pid}/stat`) ?? '')
  return now !== undefined && now.state !== 'Z' && now.startTicks === written.startTicks ? now.pid : undefined
}

/** Number, state and start of a process; the kernel may give its number to another one, with another start. */
export function parseStat(stat: string): Readonly<{ pid: number; state: string; startTicks: string }> | undefined {
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // the name before it may contain anything
  const startTicks = fields[18]
  return state === undefined || startTicks === undefined ? undefined : { pid: Number.parseInt(stat, 10), state, startTicks }
}

/** A command that is started again whenever it ends. */
export function restarted(command: Command): Command {
  return ['sh', '-c', 'while :; do "$@"; sleep 1; done', 'restarted', ...command]
}

/** Ends a daemon and its process group and waits until it is gone: asked with `SIGTERM`, made after some seconds. */
export async function stopDaemon(place: ClusterPlace, name: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const pid = daemonPid(place, name)
  if (pid !== undefined) {
    process.kill(-pid, signal)
    const gone = () => daemonPid(place, name) === undefined
    await waitUntil(`${name} has ended`, KILL_AFTER_MS, gone, 20).catch(() => process.kill(-pid, 'SIGKILL'))
    await waitUntil(`${name} has ended`, KILL_AFTER_MS, gone, 20)
  }
  await rm(pidFile(place, name), { force: true })
}

/** Names of the daemons with a pid file, running or not. */
export async function knownDaemons(place: ClusterPlace): Promise<readonly string[]> {
  const files = await readdir(place.runDirectory).catch(() => [])
  return files.filter(file => file.endsWith('.pid')).map(file => basename(file, '.pid'))
}

function pidFile(place: ClusterPlace, name: string): string {
  return join(place.runDirectory, `${name}.pid`)
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** A person's proxy, kubeconfig or Go settings are none of a daemon's business. */
function daemonEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LANG: 'C.UTF-8' }
}
