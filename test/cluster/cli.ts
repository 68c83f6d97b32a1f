import { parseArgs } from 'node:util'
import { run } from './exec.ts'
import { clusterHandle, components, deleteCluster, downCluster, kubectl, runningComponents, upCluster } from './cluster.ts'
import { leftovers } from './leftovers.ts'
import { proveLifecycle } from './lifecycle.ts'
import { elapsed } from './progress.ts'
import { listClusters } from './state.ts'

const USAGE = `npm run cluster -- COMMAND [--name NAME]

  up          bring the cluster up (repeatable; the first time builds Kubernetes, 6–14 minutes)
  status      what runs, of all clusters or of --name
  down        end it and take its processes, network, mounts and cgroups off the machine; state stays
  reset       start over: down, forget all state, up
  delete      down, and forget all state
  kubeconfig  print the path of the administrator's kubeconfig
  logs [COMPONENT]  the last lines of a component's log (${components.join(', ')})
  check       prove all of this on a cluster of its own, named "check" unless --name says otherwise

NAME is "dev" unless given.`

const say = (line: string) => console.error(line)

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { name: { type: 'string' }, help: { type: 'boolean', short: 'h' } } })
  const [command, argument] = positionals
  if (values.help || command === undefined) {
    console.log(USAGE)
    return
  }
  const name = values.name ?? 'dev'
  switch (command) {
    case 'up': return up(name)
    case 'down': return down(name)
    case 'status': return status(values.name === undefined ? await listClusters() : [values.name])
    case 'reset': {
      await timed(`cluster ${name}: state forgotten`, () => deleteCluster(name))
      return up(name)
    }
    case 'delete': return timed(`cluster ${name}: down, state forgotten`, () => deleteCluster(name))
    case 'kubeconfig': return console.log(clusterHandle(name).kubeconfigPath)
    case 'check': return proveLifecycle(values.name ?? 'check', say)
    case 'logs': return logs(name, argument ?? 'kube-apiserver')
    default: throw new Error(`"${command}" is no command.\n\n${USAGE}`)
  }
}

async function up(name: string): Promise<void> {
  const start = performance.now()
  say(`cluster ${name}`)
  const handle = await upCluster(name, { progress: say })
  say(`cluster ${name}: Ready after ${elapsed(performance.now() - start)}`)
  say(`  export KUBECONFIG=${handle.kubeconfigPath}`)
  say(`  ${handle.binaries.kubectl} get nodes`)
}

async function down(name: string): Promise<void> {
  await timed(`cluster ${name}: down`, () => downCluster(name))
  const rest = await leftovers(name)
  if (rest.length > 0) throw new Error(`cluster ${name} left behind:\n  ${rest.join('\n  ')}`)
}

async function timed(what: string, work: () => Promise<void>): Promise<void> {
  const start = performance.now()
  await work()
  say(`${what} after ${elapsed(performance.now() - start)}`)
}

async function status(names: readonly string[]): Promise<void> {
  if (names.length === 0) console.log('There is no cluster. Make one with: npm run cluster -- up')
  for (const name of names) {
    const running = runningComponents(name)
    const ended = components.filter(component => running[component] === undefined)
    const state = ended.length === components.length ? 'down' : ended.length === 0 ? 'up' : `partly up; not running: ${ended.join(', ')}`
    console.log(`cluster ${name}: ${state}`)
    if (running['kube-apiserver'] === undefined) continue
    const handle = clusterHandle(name)
    console.log(`  kubeconfig ${handle.kubeconfigPath}`)
    const nodes = await kubectl(handle, ['get', 'nodes', '--request-timeout=5s']).catch((error: Error) => error.message)
    console.log(nodes.trimEnd().replaceAll(/^/gm, '  '))
  }
}

async function logs(name: string, component: string): Promise<void> {
  const { logDirectory } = clusterHandle(name)
  if (!components.some(known => known === component)) throw new Error(`"${component}" is no component. There are: ${components.join(', ')}`)
  process.stdout.write(await run('tail', ['-n', '100', `${logDirectory}/${component}.log`]))
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
