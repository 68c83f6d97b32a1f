import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client as HttpClient, Pool, type Dispatcher } from 'undici'
import type { KubeObject } from '../../operator/api/object.ts'

const CONNECTIONS = 64 // more only queue in the API server

/** Pods to create, in a namespace where a label tells them from others. */
export type BareWork = Readonly<{ pods: readonly KubeObject[]; namespace: string; labelSelector: string; window: number }>

type WatchLine = Readonly<{ type: string; object: Readonly<{ metadata: Readonly<{ name: string; resourceVersion: string }>; status?: Readonly<{ phase?: string }> }> }>

/**
 * The least that a controller that removes its pods can do: create them through a window, watch, delete each that has ended. It
 * records nothing, survives nothing and judges nothing. Resolves when the last deletion is answered.
 */
export async function runBareLoop({ pods, namespace, labelSelector, window }: BareWork, { server, directory }: Readonly<{ server: string; directory: string }>): Promise<void> {
  const [ca, token] = await Promise.all([readFile(join(directory, 'ca.crt')), readFile(join(directory, 'token'), 'utf8')])
  const [pool, watcher] = [new Pool(server, { connections: CONNECTIONS, connect: { ca } }), new HttpClient(server, { connect: { ca }, bodyTimeout: 0 })]
  const path = `/api/v1/namespaces/${namespace}/pods`
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json' }
  const call = (method: Dispatcher.HttpMethod, at: string, body: unknown) => exchange(pool, { path: at, method, headers, body: JSON.stringify(body), reset: false }) // else undici ends the connection after each deletion
  const { promise: done, resolve, reject } = Promise.withResolvers<void>()
  const ended = new Set<string>()
  let [next, removed] = [0, 0]
  const fill = (): void => {
    for (; next < pods.length && next - ended.size < window; next += 1) call('POST', path, pods[next]).catch(reject)
  }
  const end = (name: string): void => {
    if (ended.has(name)) return
    ended.add(name)
    call('DELETE', `${path}/${name}`, { propagationPolicy: 'Background' }).then(() => {
      removed += 1
      if (removed === pods.length) resolve()
    }, reject)
    fill()
  }
  const query = (more: Readonly<Record<string, string>>): string => `${path}?${new URLSearchParams({ labelSelector, ...more })}`
  const { metadata } = JSON.parse(await exchange(pool, { path: query({ limit: '1' }), method: 'GET', headers }))
  watch(watcher, { first: metadata.resourceVersion, headers, pathFrom: (resourceVersion) => query({ watch: '1', resourceVersion }) }, end).catch(reject)
  fill()
  await done
  await Promise.all([pool.destroy(), watcher.destroy()])
}

/** Where the API server asks for patience it gets it: without that no loop ends. */
async function exchange(pool: Pool, request: Dispatcher.RequestOptions): Promise<string> {
  const { statusCode, headers, body } = await pool.request(request)
  const text = await body.text()
  if (statusCode === 429) {
    await delay(1000 * Number(headers['retry-after'] ?? 1))
    return exchange(pool, request)
  }
  if (statusCode >= 300) throw new Error(`${request.method} ${request.path}: ${statusCode} ${text}`)
  return text
}

type Watching = Readonly<{ first: string; headers: Record<string, string>; pathFrom(resourceVersion: string): string }>

/** Goes on wherever the server ends it; that happens cleanly after a burst. */
async function watch(client: HttpClient, { first, headers, pathFrom }: Watching, end: (name: string) => void): Promise<void> {
  for (let version = first; !client.destroyed; ) {
    const { body } = await client.request({ path: pathFrom(version), method: 'GET', headers })
    let rest = ''
    for await (const chunk of body.setEncoding('utf8')) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const { type, object }: WatchLine = JSON.parse(line)
        if (type === 'ERROR') throw new Error(`the watch ended: ${line}`)
        version = object.metadata.resourceVersion
        if (object.status?.phase === 'Succeeded') end(object.metadata.name)
      }
    }
  }
}
