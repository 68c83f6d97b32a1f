import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { ApiError } from '../api/errors.ts'
import { kindKey, type KubeObject, type ObjectRef, type ResourceType } from '../api/object.ts'
import type { FakeApiServer } from './fake-api-server.ts'

const PATH = /^\/(?:api\/(?<core>[^/]+)|apis\/(?<group>[^/]+\/[^/]+))(?:\/namespaces\/(?<namespace>[^/]+))?\/(?<plural>[^/]+)(?:\/(?<name>[^/]+))?(?:\/(?<subresource>status))?$/
const deletionSchema = z.object({ preconditions: z.object({ uid: z.string().optional() }).optional() })

type Change = Readonly<{ type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: KubeObject }>
type Target = Readonly<{ type: ResourceType; ref: ObjectRef; subresource: string | undefined }>

/** A FakeApiServer over HTTP on loopback, for code that brings its own connection. */
export class FakeHttpServer {
  /** Such as `GET ships` and `POST events`, in the order in which they came. */
  readonly requests: string[] = []
  /** Milliseconds by which answers about a plural are late. */
  readonly lateMs = new Map<string, number>()
  readonly #api: FakeApiServer
  readonly #types: readonly ResourceType[]
  readonly #history: Change[] = []
  readonly #watchers = new Set<(change: Change) => void>()
  readonly #server: Server

  constructor(api: FakeApiServer, types: readonly ResourceType[]) {
    this.#api = api
    this.#types = types
    this.#server = createServer((request, response) => void this.#serve(request, response))
    api.watch((before, after) => {
      const object = after ?? before
      if (!object) return
      const change: Change = { type: after ? (before ? 'MODIFIED' : 'ADDED') : 'DELETED', object }
      this.#history.push(change)
      for (const watcher of this.#watchers) watcher(change)
    })
  }

  /** Resolves with the URL. */
  async start(): Promise<string> {
    await new Promise<void>((listening) => this.#server.listen(0, '127.0.0.1', listening))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((closed) => this.#server.close(closed))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://server')
    let text = ''
    for await (const chunk of request) text += String(chunk)
    try {
      const target = this.#target(url.pathname)
      this.requests.push(`${url.searchParams.has('watch') ? 'WATCH' : request.method} ${target.type.plural}`)
      await delay(this.lateMs.get(target.type.plural) ?? 0)
      if (url.searchParams.has('watch')) return this.#watch(target.type, Number(url.searchParams.get('resourceVersion')), response)
      answer(response, 200, this.#answer(request, target, text))
    } catch (error) {
      const { code, reason, message } = error instanceof ApiError ? error : { code: 500, reason: 'InternalError', message: String(error) }
      answer(response, code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message })
    }
  }

  #target(path: string): Target {
    const { core, group, namespace, plural, name = '', subresource } = PATH.exec(path)?.groups ?? {}
    const type = this.#types.find((type) => type.plural === plural && type.apiVersion === (core ?? group))
    if (!type) throw new ApiError({ code: 404, reason: 'NotFound', message: `nothing is served at ${path}` })
    const ref = { apiVersion: type.apiVersion, kind: type.kind, name, ...(namespace === undefined ? {} : { namespace }) }
    return { type, ref, subresource }
  }

  #answer(request: IncomingMessage, { type, ref, subresource }: Target, text: string): unknown {
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    switch (request.method) {
      case 'GET':
        return ref.name === '' ? this.#list(type) : (this.#api.find(ref) ?? missing(ref))
      case 'POST':
        return this.#api.create(body as KubeObject)
      case 'PATCH':
        if (!request.headers['content-type']?.includes('apply-patch')) return this.#api.patch(ref, { contentType: 'application/merge-patch+json', body })
        return subresource ? this.#api.applyStatus(body as KubeObject) : this.#api.apply(body as KubeObject)
      case 'DELETE': {
        const uid = deletionSchema.parse(body ?? {}).preconditions?.uid
        return this.#api.remove(uid === undefined ? ref : { ...ref, uid }) ?? missing(ref)
      }
      default:
        throw new Error(`no ${request.method}`)
    }
  }

  #list(type: ResourceType): object {
    const resourceVersion = this.#history.at(-1)?.object.metadata.resourceVersion ?? '0'
    const items = this.#api.all().filter((object) => kindKey(object) === kindKey(type))
    return { apiVersion: type.apiVersion, kind: `${type.kind}List`, metadata: { resourceVersion }, items }
  }

  #watch(type: ResourceType, from: number, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
    const send = (change: Change): void => {
      if (kindKey(change.object) === kindKey(type)) response.write(`${JSON.stringify(change)}\n`)
    }
    for (const change of this.#history) if (Number(change.object.metadata.resourceVersion) > from) send(change)
    this.#watchers.add(send)
    response.on('close', () => this.#watchers.delete(send))
  }
}

function answer(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function missing({ kind, name }: ObjectRef): never {
  throw new ApiError({ code: 404, reason: 'NotFound', message: `${kind} "${name}" not found` })
}
