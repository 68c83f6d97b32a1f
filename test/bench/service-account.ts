import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ControlPlane } from '../cluster/control-plane.ts'
import { run } from '../cluster/exec.ts'

/** What a pod finds: a token, a CA file and the variables that name the API server. */
export type ServiceAccount = Readonly<{
  /** `system:serviceaccount:<namespace>:<name>` */
  user: string
  directory: string
  env: Readonly<Record<string, string>>
  remove(): Promise<void>
}>

/** Makes an account that may do everything; its namespace exists. */
export async function makeServiceAccount(plane: ControlPlane, namespace: string, name: string): Promise<ServiceAccount> {
  const directory = await mkdtemp(join(tmpdir(), 'swe-operator-bench-account-'))
  const kubectl = (...args: string[]): Promise<string> => run(plane.binaries.kubectl, ['--kubeconfig', plane.kubeconfigPath, '-n', namespace, ...args])
  await kubectl('create', 'serviceaccount', name)
  await kubectl('create', 'clusterrolebinding', name, '--clusterrole=cluster-admin', `--serviceaccount=${namespace}:${name}`)
  await writeFile(join(directory, 'token'), (await kubectl('create', 'token', name, '--duration=24h')).trim())
  await copyFile(plane.caPath, join(directory, 'ca.crt'))
  const { hostname, port } = new URL(plane.server)
  const env = {
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
    BENCH_SERVICE_ACCOUNT: directory,
  }
  return { user: `system:serviceaccount:${namespace}:${name}`, directory, env, remove: () => rm(directory, { recursive: true, force: true }) }
}
