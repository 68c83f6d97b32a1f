import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import type { World } from '../world.ts'
import { Agent } from './agent.ts'
import { startDeadline, type Deadline } from './deadline.ts'
import { TransportError } from './errors.ts'
import type { Framing } from './framing.ts'
import type { Connection } from './kubeconfig.ts'
import { asTransportError, readApiError, retryDelayMs } from './retry.ts'

const CALL_DEADLINE_MS = 10_000 // long enough for a slow webhook, short enough that a worker is not lost to it
const CONNECT_TIMEOUT_MS = 5_000 // also bounds how late a write may leave after the fence let it pass
const KEEP_ALIVE_MS = 30_000 // shorter than the API server's 90 s, so that it is we who close
const METADATA_ALONE = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json' // errors are never partial
const PARSE_BEFORE_YIELD_BYTES = 256 * 1024 // parses in a few milliseconds

/** What RBAC sees of a call. */
export type Call = Readonly<{
  verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete'
  group: string
  resource: string
  subresource?: string
  /** Absent for cluster-scoped kinds and for calls across all namespaces. */
  namespace?: string
}>

export type TransportRequest = Readonly<{
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With its leading slash, encoded. */
  path: string
  query?: Readonly<Record<string, string | number | boolean | undefined>>
  /** Sent as JSON. */
  body?: unknown
  contentType?: string
  /** What of an object in the answer is of use. `Nothing`: it is not even parsed. Default: all. */
  answer?: 'Metadata' | 'Nothing'
  call: Call
  /** Covers all tries and the waiting between them. Default: 10 s; streams: none. */
  deadlineMs?: number
  /** Called right before each try leaves; what it throws reaches the caller. */
  mayWrite?: () => void
  signal?: AbortSignal | undefined
}>

export type StreamRequest = TransportRequest &
  Readonly<{
    framing: Framing
    /** Without a byte for this long the stream fails with SILENT. */
    idleMs?: number
    /** Called once the server has answered 200. */
    opened?: (() => void) | undefined
  }>

/** One request as it went, for `rest_client_requests_total`. `code` is `<error>` where no answer came. */
export type RequestOutcome = Readonly<{ code: string; method: string; host: string; verb: Call['verb'] }>

export type TransportOptions = Readonly<{
  connection: Connection
  world: World
  /** Default: `swe-operator`. */
  userAgent?: string
  observe?: (outcome: RequestOutcome) => void
  /** Told of each call that was answered; an apply that created counts as `create` too, as RBAC wants both. */
  record?: (call: Call) => void
}>

/** HTTP to one API server. Everything rejects with ApiError, TransportError, the caller's abort reason or the fence's error. */
export type Transport = Readonly<{
  /** The parsed answer, undefined where nothing of it is of use. Retries at most three times where that cannot do harm. */
  request(request: TransportRequest): Promise<unknown>
  /** Parsed values as they arrive, on a connection of its own for watches. Ends only if the server ended it cleanly. */
  stream(request: StreamRequest): AsyncIterable<unknown>
  /** Cuts all connections. */
  close(): Promise<void>
}>

type Context = TransportOptions & Readonly<{ origin: string; host: string; basePath: string; calls: Agent; watches: Agent }>

export function createTransport(options: TransportOptions): Transport {
  const url = new URL(options.connection.server)
  const context: Context = {
    ...options,
    origin: url.origin,
    host: url.host,
    basePath: url.pathname.replace(/\/$/, ''),
    calls: createAgent(options.connection),
    watches: createAgent(options.connection), // a watch must not wait for a call's socket, nor a call for a watch's
  }
  return {
    request: (request) => requestJson(context, request),
    stream: (request) => streamJson(context, request),
    close: async () => {
      await Promise.all([context.calls.destroy(), context.watches.destroy()])
    },
  }
}

/** No limit on connections: a write that queues for a socket would leave long after the fence let it pass. */
function createAgent({ ca, cert, key, servername, verification }: Connection): Agent {
  return new Agent({
    allowH2: false, // one socket each: a dead TCP path must not hurt every call and watch at once
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0, // every call has its own deadline
    bodyTimeout: 0,
    connect: {
      timeout: CONNECT_TIMEOUT_MS,
      ...(ca ? { ca } : {}),
      ...(cert ? { cert } : {}),
      ...(key ? { key } : {}),
      ...(servername ? { servername } : {}),
      ...(verification === 'Skip' ? { rejectUnauthorized: false } : {}),
    },
  })
}

async function requestJson(context: Context, request: TransportRequest): Promise<unknown> {
  const deadline = startDeadline(context.world, { deadlineMs: request.deadlineMs ?? CALL_DEADLINE_MS, outer: request.signal })
  try {
    if (request.answer === 'Nothing') return await send(context, request, deadline, async (response) => void (await response.body.dump()))
    return parse(await send(context, request, deadline, (response) => response.body.text()))
  } finally {
    deadline.end()
  }
}

async function* streamJson(context: Context, request: StreamRequest): AsyncGenerator<unknown> {
  const { idleMs, deadlineMs, signal } = request
  const deadline = startDeadline(context.world, {
    outer: signal,
    ...(idleMs === undefined ? {} : { idleMs }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  })
  try {
    const body = await send(context, request, deadline, async (response) => response.body)
    request.opened?.()
    deadline.touch()
    yield* values(body, request, deadline)
  } catch (error) {
    throw deadline.signal.aborted ? deadline.signal.reason : asTransportError(error)
  } finally {
    deadline.end()
  }
}

async function* values(body: AsyncIterable<Buffer>, { framing }: StreamRequest, deadline: Deadline): AsyncGenerator<unknown> {
  let parsedBytes = 0
  for await (const chunk of body) {
    deadline.touch()
    for (const text of framing.push(chunk)) yield parse(text)
    parsedBytes += chunk.length
    if (parsedBytes < PARSE_BEFORE_YIELD_BYTES) continue
    parsedBytes = 0
    await nextTurn()
  }
  for (const text of framing.finish()) yield parse(text)
}

type Consume<T> = (response: Dispatcher.ResponseData) => Promise<T>

async function send<T>(context: Context, request: TransportRequest, deadline: Deadline, consume: Consume<T>): Promise<T> {
  for (let retries = 0; ; retries += 1) {
    try {
      return await attempt(context, request, deadline.signal, consume)
    } catch (error) {
      const waitMs = retryDelayMs(request, error, retries, context.world)
      if (waitMs === undefined || waitMs >= deadline.leftMs() || deadline.signal.aborted) throw error
      await sleepWithin(context.world, waitMs, deadline.signal)
    }
  }
}

async function sleepWithin(world: World, ms: number, signal: AbortSignal): Promise<void> {
  await world.sleep(ms, signal).catch((error: unknown) => {
    throw signal.aborted ? signal.reason : error
  })
}

async function attempt<T>(context: Context, request: TransportRequest, signal: AbortSignal, consume: Consume<T>): Promise<T> {
  const { method, call } = request
  const options = await toDispatch(context, request, signal)
  request.mayWrite?.()
  let code = '<error>'
  try {
    const response = await (call.verb === 'watch' ? context.watches : context.calls).request(options)
    code = String(response.statusCode)
    recordCall(context, call, response.statusCode)
    if (response.statusCode >= 400) throw await readApiError(response)
    return await consume(response)
  } catch (error) {
    throw signal.aborted ? signal.reason : asTransportError(error)
  } finally {
    context.observe?.({ code, method, host: context.host, verb: call.verb })
  }
}

async function toDispatch(context: Context, request: TransportRequest, signal: AbortSignal): Promise<Dispatcher.RequestOptions> {
  const headers: Record<string, string> = { accept: request.answer === undefined ? 'application/json' : METADATA_ALONE, 'user-agent': context.userAgent ?? 'swe-operator' }
  if (request.body !== undefined) headers['content-type'] = request.contentType ?? 'application/json'
  await context.connection.authorize(headers).catch((error: unknown) => {
    throw new TransportError('UNREACHABLE', error)
  })
  return {
    origin: context.origin,
    path: `${context.basePath}${request.path}${toQuery(request.query)}`,
    method: request.method,
    headers,
    body: request.body === undefined ? null : JSON.stringify(request.body),
    reset: false, // else undici gives a connection up after a DELETE with a body: a handshake for each pod
    signal,
  }
}

function toQuery(query: TransportRequest['query']): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) parameters.set(name, String(value))
  }
  return parameters.size === 0 ? '' : `?${parameters.toString()}`
}

function recordCall(context: Context, call: Call, statusCode: number): void {
  context.record?.(call)
  if (call.verb === 'patch' && statusCode === 201) context.record?.({ ...call, verb: 'create' })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new TransportError('MALFORMED', error)
  }
}
