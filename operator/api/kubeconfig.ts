import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { World } from '../world.ts'

const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount'
const TOKEN_REREAD_MS = 60_000 // the kubelet renews a token long before it ends; a minute is soon enough and costs nothing

/** How to reach one API server as one identity. */
export type Connection = Readonly<{
  /** `https://host:port`, with a path if the server is behind one; no slash at the end. */
  server: string
  ca?: string | Buffer
  cert?: string | Buffer
  key?: string | Buffer
  /** The name in the server's certificate, where it differs from the host. */
  servername?: string
  /** `Skip` only where a kubeconfig says so. */
  verification?: 'Skip'
  /** Adds what identifies us; called for every request. */
  authorize(headers: Record<string, string>): Promise<void>
}>

export type ConnectOptions = Readonly<{
  world: World
  env: Readonly<Record<string, string | undefined>>
  /** Path of a kubeconfig; comes before everything else. */
  kubeconfig?: string
  /** Where the service account's token and CA lie; for tests. */
  serviceAccountDir?: string
}>

/** Inside a pod its service account, unless KUBECONFIG is set; elsewhere the kubeconfig that kubectl would use. */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { env, kubeconfig } = options
  const outside = kubeconfig ?? env['KUBECONFIG']
  if (env['KUBERNETES_SERVICE_HOST'] && !outside) return connectFromPod(options)
  return connectFromKubeconfig(kubeconfig)
}

async function connectFromPod({ env, world, serviceAccountDir = SERVICE_ACCOUNT_DIR }: ConnectOptions): Promise<Connection> {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? ''
  const token = rereadFile(join(serviceAccountDir, 'token'), world)
  await token() // a pod without a token should say so at its start
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${env['KUBERNETES_SERVICE_PORT'] ?? '443'}`,
    ca: await readFile(join(serviceAccountDir, 'ca.crt')),
    authorize: async (headers) => {
      headers['authorization'] = `Bearer ${await token()}`
    },
  }
}

/** The file's text, read anew at most each minute; the last good text where reading fails. */
function rereadFile(path: string, world: World): () => Promise<string> {
  let text: string | undefined
  let readMs = 0
  return async () => {
    if (text !== undefined && world.monotonicMs() - readMs < TOKEN_REREAD_MS) return text
    try {
      text = (await readFile(path, 'utf8')).trim()
    } catch (error) {
      if (text === undefined) throw error
    }
    readMs = world.monotonicMs()
    return text
  }
}

/** Loads the official client only here: importing it costs most of a second and 60 MB. */
async function connectFromKubeconfig(path: string | undefined): Promise<Connection> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  if (path === undefined) config.loadFromDefault()
  else config.loadFromFile(path)
  const cluster = config.getCurrentCluster()
  const user = config.getCurrentUser()
  if (!cluster) throw new Error('the kubeconfig names no current cluster; set KUBECONFIG or `kubectl config use-context`')
  const tls: SecurityOptions = {}
  if (cluster.server.startsWith('https:')) await config.applyToHTTPSOptions(tls)
  const isStatic = !user || (!user.exec && !user.authProvider && !user.token && !user.username)
  return {
    server: cluster.server.replace(/\/+$/, ''),
    ...(tls.ca ? { ca: tls.ca } : {}),
    ...(tls.cert ? { cert: tls.cert } : {}),
    ...(tls.key ? { key: tls.key } : {}),
    ...(tls.servername ? { servername: tls.servername } : {}),
    ...(cluster.skipTLSVerify ? { verification: 'Skip' } : {}),
    authorize: async (headers) => {
      if (isStatic) return
      const options: SecurityOptions = {}
      await config.applyToHTTPSOptions(options)
      if (options.auth) headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`
      for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value)
    },
  }
}

/** What the official client fills in of an https request. */
type SecurityOptions = {
  ca?: string | Buffer
  cert?: string | Buffer
  key?: string | Buffer
  servername?: string
  auth?: string
  headers?: Record<string, unknown>
}
