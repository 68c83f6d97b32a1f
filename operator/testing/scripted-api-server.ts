import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { KubeObject } from '../api/object.ts'

/** One request under the script's control. */
export type Exchange = Readonly<{
  query: URLSearchParams
  /** Answers with JSON and ends. */
  answer(code: number, body: unknown, headers?: Record<string, string>): void
  /** Answers with a Status of this code and reason. */
  refuse(code: number, reason: string, more?: Readonly<{ retryAfterSeconds?: number; cause?: string; message?: string }>): void
  /** Answers 200 and sends these bytes; the response stays open. */
  send(text: string): void
  /** Sends one line of a watch. */
  event(type: string, object: unknown): void
  bookmark(version: number): void
  /** Ends the response as HTTP wants it. */
  end(): void
  /** Cuts the connection. */
  reset(): void
  /** Leaves this request to the server's usual behaviour. */
  passOn(): void
  response: ServerResponse
}>

export type Script = (exchange: Exchange) => void | Promise<void>

export type SeenRequest = Readonly<{ method: string; path: string; verb: 'list' | 'watch' | 'other'; query: URLSearchParams; accept: string; body: string; atMs: number }>

type Change = Readonly<{ version: number; type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: KubeObject }>

/**
 * An HTTP server that keeps the ConfigMaps of one namespace with a history, lists and watches them as an API server does,
 * and misbehaves exactly where a script says so: each script takes one request, in order.
 */
export class ScriptedApiServer {
  readonly requests: SeenRequest[] = []
  readonly #objects = new Map<string, KubeObject>()
  readonly #history: Change[] = []
  readonly #watchers = new Set<(change: Change) => void>()
  readonly #sockets = new Set<Socket>()
  readonly #scripts: Record<SeenRequest['verb'], Script[]> = { list: [], watch: [], other: [] }
  #server: Server = createServer()
  #port = 0
  #version = 100
  #oldest = 0

  static async start(): Promise<ScriptedApiServer> {
    const server = new ScriptedApiServer()
    await server.open()
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get version(): number {
    return this.#version
  }

  /** The next lists take these scripts, one each; after them all is usual. */
  nextLists(...scripts: Script[]): void {
    this.#scripts.list.push(...scripts)
  }

  nextWatches(...scripts: Script[]): void {
    this.#scripts.watch.push(...scripts)
  }

  nextOthers(...scripts: Script[]): void {
    this.#scripts.other.push(...scripts)
  }

  seen(verb: SeenRequest['verb']): SeenRequest[] {
    return this.requests.filter((request) => request.verb === verb)
  }

  /** Creates or changes an object; every change has a version of its own. */
  put(name: string, more: Readonly<{ uid?: string; labels?: Record<string, string>; data?: Record<string, string>; metadata?: object }> = {}): KubeObject {
    const before = this.#objects.get(name)
    this.#version += 1
    const { uid = before?.metadata.uid ?? `uid-${name}-${this.#version}`, labels, data = {}, metadata = {} } = more
    const meta = { name, namespace: 'default', uid, resourceVersion: String(this.#version), ...(labels ? { labels } : {}), ...metadata }
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta, data }
    this.#objects.set(name, object)
    this.#publish({ version: this.#version, type: before ? 'MODIFIED' : 'ADDED', object })
    return object
  }

  remove(name: string): void {
    const object = this.#objects.get(name)
    if (!object) throw new Error(`there is no ${name}`)
    this.#objects.delete(name)
    this.#version += 1
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } }
    this.#publish({ version: this.#version, type: 'DELETED', object: last })
  }

  /** Forgets all history, as compaction does: watches from before this moment are refused. */
  compact(): void {
    this.#oldest = this.#version
  }

  /** Goes back to an older version with these objects alone, as a restored backup does. */
  restore(version: number, ...names: string[]): void {
    this.#version = version
    this.#history.length = 0
    for (const name of this.#objects.keys()) if (!names.includes(name)) this.#objects.delete(name)
  }

  /** Cuts every connection; the next ones are accepted. */
  cutConnections(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Refuses connections until opened again on the same port. */
  async close(): Promise<void> {
    this.cutConnections()
    await new Promise((done) => this.#server.close(done))
  }

  async open(): Promise<void> {
    this.#server = createServer((request, response) => void this.#serve(request, response))
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    await new Promise<void>((done) => this.#server.listen(this.#port, '127.0.0.1', done))
    this.#port = (this.#server.address() as AddressInfo).port
  }

  #publish(change: Change): void {
    this.#history.push(change)
    for (const watcher of this.#watchers) watcher(change)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://server')
    const isCollection = url.pathname.endsWith('/configmaps') && request.method === 'GET'
    const verb = !isCollection ? 'other' : url.searchParams.has('watch') ? 'watch' : 'list'
    let body = ''
    for await (const chunk of request) body += String(chunk)
    this.requests.push({ method: request.method ?? '', path: url.pathname, verb, query: url.searchParams, accept: request.headers.accept ?? '', body, atMs: performance.now() })
    const exchange = this.#exchange(verb, url.searchParams, response)
    const script = this.#scripts[verb].shift()
    if (script) await script(exchange)
    else exchange.passOn()
  }

  #exchange(verb: SeenRequest['verb'], query: URLSearchParams, response: ServerResponse): Exchange {
    const answer: Exchange['answer'] = (code, body, headers = {}) => {
      response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
    }
    const send = (text: string): void => {
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/json' })
      response.write(text)
    }
    const event = (type: string, object: unknown): void => send(`${JSON.stringify({ type, object })}\n`)
    const exchange: Exchange = {
      query,
      answer,
      send,
      event,
      response,
      refuse: (code, reason, more = {}) => answer(code, status(code, reason, more), more.retryAfterSeconds === undefined ? {} : { 'retry-after': String(more.retryAfterSeconds) }),
      bookmark: (version) => event('BOOKMARK', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { resourceVersion: String(version) } }),
      end: () => void response.end(),
      reset: () => response.socket?.resetAndDestroy(),
      passOn: () => this.#usual(verb, exchange),
    }
    return exchange
  }

  #usual(verb: SeenRequest['verb'], exchange: Exchange): void {
    if (verb === 'list') this.#list(exchange)
    else if (verb === 'watch') this.#watch(exchange)
    else exchange.refuse(404, 'NotFound')
  }

  #list({ query, answer, refuse }: Exchange): void {
    const asked = Number(query.get('resourceVersion') ?? 0)
    if (asked > this.#version) return refuse(504, 'Timeout', { cause: 'ResourceVersionTooLarge', retryAfterSeconds: 1 })
    const from = Number(query.get('continue') ?? 0)
    const limit = query.get('resourceVersion') === '0' ? Infinity : Number(query.get('limit') ?? Infinity)
    const all = [...this.#objects.values()]
    const more = from + limit < all.length ? { continue: String(from + limit) } : {}
    answer(200, { kind: 'ConfigMapList', apiVersion: 'v1', metadata: { resourceVersion: String(this.#version), ...more }, items: all.slice(from, from + limit) })
  }

  #watch({ query, event, refuse, send, response }: Exchange): void {
    const from = Number(query.get('resourceVersion'))
    if (from < this.#oldest) return refuse(410, 'Expired')
    send('')
    response.flushHeaders()
    for (const change of this.#history) if (change.version > from) event(change.type, change.object)
    const watcher = ({ type, object, version }: Change): void => {
      if (version > from && !response.writableEnded) event(type, object)
    }
    this.#watchers.add(watcher)
    response.on('close', () => this.#watchers.delete(watcher))
  }
}

/** What an API server says when it refuses. */
export function status(code: number, reason: string, more: Parameters<Exchange['refuse']>[2] = {}): object {
  const { cause, retryAfterSeconds, message = `${reason}, says the script` } = more
  const details = { ...(cause ? { causes: [{ reason: cause }] } : {}), ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) }
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message, details }
}
