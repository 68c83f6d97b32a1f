import { type ChildProcess, spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Binaries, ensureBinaries } from './binaries.ts'
import { apiServerCommand, AUDIT_LOG, type ClientLimits, type Command, controllerManagerCommand, type ControlPlaneLayout, etcdCommand, prepareControlPlane, schedulerCommand } from './control-plane-commands.ts'
import { succeeds, waitUntil } from './exec.ts'
import { freePort } from './free-port.ts'
import { type Identity, type KeyPair, writeKubeconfig } from './pki.ts'
import { type Progress, silent } from './progress.ts'

const READY_TIMEOUT_MS = 180_000 // 3 s are usual; beside a build on a machine with two cores more than a minute is not

/** A throw-away etcd and API server on loopback: no nodes, nothing runs, everything is stored and admitted as usual. */
export type ControlPlane = Readonly<{
  /** `https://127.0.0.1:<port>` */
  server: string
  /** Of a cluster administrator, like `certPath` and `keyPath`. */
  kubeconfigPath: string
  caPath: string
  certPath: string
  keyPath: string
  /** Requests at Metadata level, one JSON object a line. */
  auditLogPath: string
  logDirectory: string
  binaries: Binaries
  /** A client certificate and kubeconfig of a user of your choice; `organizations` are groups. */
  user(identity: Identity): Promise<KeyPair & Readonly<{ kubeconfigPath: string }>>
  /** SIGKILL; resolves once the process is gone. */
  killApiServer(): Promise<void>
  /** Starts a killed API server on its old port; resolves once it is ready. */
  startApiServer(): Promise<void>
  restartApiServer(): Promise<void>
  /** Runs another program beside the others; it ends with them. */
  launch(name: string, command: Command): void
  /** Process ids by name, such as `etcd`. */
  processes(): Readonly<Record<string, number>>
  /** Ends every process and removes every file. */
  stop(): Promise<void>
}>

export type ControlPlaneOptions = Readonly<{
  /** Shows in the name of the temporary directory. */
  name: string
  /** Without a controller manager nothing is garbage collected, Jobs make no pods and service accounts are not checked. */
  controllers?: 'None' | 'ControllerManager' | 'ControllerManagerAndScheduler'
  /** Of the controllers. Default: as shipped. */
  limits?: ClientLimits
  progress?: Progress
}>

/** Starts a control plane on free ports. It ends with this process at the latest. Throws with the tail of a log when it does not get ready. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const progress = options.progress ?? silent
  const binaries = await ensureBinaries(progress)
  const directory = await mkdtemp(join(tmpdir(), `swe-operator-${options.name}-`))
  const [apiServerPort, etcdClientPort, etcdPeerPort] = [await freePort(), await freePort(), await freePort()]
  const layout = await prepareControlPlane(directory, '127.0.0.1', { apiServerPort, etcdClientPort, etcdPeerPort })
  const server = `https://127.0.0.1:${apiServerPort}`
  const kubeconfigPath = join(directory, 'admin.kubeconfig')
  await writeKubeconfig(kubeconfigPath, server, layout.pki.caPath, layout.admin)

  const running = new Map<string, ChildProcess>()
  const start = (name: string, command: Command): void => void running.set(name, launch(directory, name, command))
  const startApiServer = async () => {
    start('kube-apiserver', apiServerCommand(binaries, layout, apiServerExtra(options)))
    await waitUntilReady(binaries, layout, kubeconfigPath, () => running.get('kube-apiserver')?.exitCode ?? undefined)
  }
  const killApiServer = () => end(running.get('kube-apiserver'))
  const stop = async () => {
    await Promise.all([...running.values()].map(end))
    await rm(directory, { recursive: true, force: true })
  }

  try {
    start('etcd', etcdCommand(binaries, layout))
    await progress('start the API server', startApiServer)
    for (const [name, command] of await controllerCommands(binaries, layout, server, options)) start(name, command)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    server, kubeconfigPath, binaries, startApiServer, killApiServer, stop,
    launch: start,
    processes: () => Object.fromEntries([...running].map(([name, child]) => [name, child.pid ?? 0])),
    caPath: layout.pki.caPath,
    ...layout.admin,
    auditLogPath: join(directory, AUDIT_LOG),
    logDirectory: join(directory, 'log'),
    user: identity => issueUser(layout, server, identity),
    restartApiServer: async () => {
      await killApiServer()
      await startApiServer()
    },
  }
}

async function controllerCommands(binaries: Binaries, layout: ControlPlaneLayout, server: string, { controllers = 'None', limits }: ControlPlaneOptions): Promise<readonly (readonly [string, Command])[]> {
  if (controllers === 'None') return []
  const kubeconfigOf = async (component: string): Promise<string> => {
    const path = join(layout.directory, `${component}.kubeconfig`)
    await writeKubeconfig(path, server, layout.pki.caPath, await layout.pki.issue(component, { commonName: `system:${component}` }))
    return path
  }
  const manager = ['kube-controller-manager', controllerManagerCommand(binaries, layout, await kubeconfigOf('kube-controller-manager'), limits)] as const
  if (controllers === 'ControllerManager') return [manager]
  return [manager, ['kube-scheduler', schedulerCommand(binaries, await kubeconfigOf('kube-scheduler'), limits)]]
}

function apiServerExtra({ controllers = 'None' }: ControlPlaneOptions): string[] {
  const onLoopback = ['--bind-address=127.0.0.1', '--endpoint-reconciler-type=none']
  // Nobody makes the default service accounts without a controller manager, and pods would be refused for it.
  return controllers === 'None' ? [...onLoopback, '--disable-admission-plugins=ServiceAccount'] : onLoopback
}

async function issueUser(layout: ControlPlaneLayout, server: string, identity: Identity): Promise<KeyPair & { kubeconfigPath: string }> {
  const file = `user-${identity.commonName.replaceAll(/[^a-zA-Z0-9.-]/g, '_')}`
  const pair = await layout.pki.issue(file, { ...identity, alternativeNames: ['DNS:user'] })
  const kubeconfigPath = join(layout.directory, `${file}.kubeconfig`)
  await writeKubeconfig(kubeconfigPath, server, layout.pki.caPath, pair)
  return { ...pair, kubeconfigPath }
}

/** The child gets SIGKILL from the kernel when we die, so that a killed test run leaves nothing behind. */
function launch(directory: string, name: string, command: Command): ChildProcess {
  const log = openSync(join(directory, 'log', `${name}.log`), 'a')
  return spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], { stdio: ['ignore', log, log] })
}

/** SIGKILL: an API server that is asked politely waits a minute for its watchers. */
async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

async function waitUntilReady(binaries: Binaries, layout: ControlPlaneLayout, kubeconfigPath: string, exitCode: () => number | undefined): Promise<void> {
  const log = join(layout.directory, 'log', 'kube-apiserver.log')
  try {
    await waitUntil('kube-apiserver is ready', READY_TIMEOUT_MS, () => {
      if (exitCode() !== undefined) throw new Error(`kube-apiserver ended with status ${exitCode()}`)
      return succeeds(binaries.kubectl, ['--kubeconfig', kubeconfigPath, 'get', '--raw', '/readyz'], { timeoutMs: 30_000 })
    })
  } catch (error) {
    const tail = (await readFile(log, 'utf8')).split('\n').slice(-15).join('\n')
    throw new Error(`${String(error)}\n${log}:\n${tail}`, { cause: error })
  }
}
