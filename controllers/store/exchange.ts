import type { Readable } from 'node:stream'
import { AwsV4Signer } from 'aws4fetch'
import { Agent } from '../../operator/api/agent.ts'
import type { World } from '../../operator/world.ts'
import type { Credentials } from './credentials.ts'
import { faultOf, StoreError } from './error.ts'
import { element } from './listing.ts'

/** Where the bucket is. With `pathStyle` it stands in the path of URLs, else before the endpoint's host name. */
export type StoreSettings = Readonly<{ endpoint: string; region: string; bucket: string; pathStyle: boolean }>

export type Call = Readonly<{
  method: 'GET' | 'HEAD' | 'PUT'
  /** Absent: the bucket itself. */
  key?: string
  query?: Readonly<Record<string, string>>
  headers?: Readonly<Record<string, string>>
  body?: string
  signal?: AbortSignal
  /** Statuses that are answers rather than errors. */
  expect: readonly number[]
}>

export type Answer = Readonly<{ status: number; headers: Readonly<Record<string, string | string[] | undefined>>; body: string }>

const DEADLINE_MS = 10_000 // every exchange is a few kilobytes; large transfers never pass through the operator
const STREAM_SECONDS = 60 // the URL is used at once
const SILENCE_MS = 60_000
const MAX_BODY_BYTES = 4 * 1024 * 1024 // a page of 1,000 keys of 1 KiB, with room

export type Streamed = Readonly<{ status: number; body: Readable }>

export type Exchange = Readonly<{
  send(call: Call): Promise<Answer>
  /** Signs by URL, so that nobody has to hash the body; gives up after a minute without a byte. */
  stream(call: Call, body?: Readable): Promise<Streamed>
  sign(call: Pick<Call, 'method' | 'key' | 'headers'>, expiresInSeconds: number): Promise<string>
  close(): Promise<void>
}>

type Bucket = Readonly<{ settings: StoreSettings; credentials: () => Promise<Credentials>; world: World; agent: Agent }>

/** Signed requests to one bucket. Nothing is retried here: a reconcile comes again anyway, a pod asks again itself. */
export function createExchange(settings: StoreSettings, credentials: () => Promise<Credentials>, world: World): Exchange {
  const agent = new Agent({ connect: { timeout: DEADLINE_MS }, connections: 16 })
  const bucket: Bucket = { settings, credentials, world, agent }
  return {
    send: (call) => send(bucket, call),
    stream: (call, body) => stream(bucket, call, body),
    sign: async (call, expiresInSeconds) => (await sign(bucket, call, expiresInSeconds)).toString(),
    close: () => agent.close(),
  }
}

async function signer({ settings, credentials, world }: Bucket, call: Omit<Call, 'expect'>, expiresInSeconds?: number): Promise<AwsV4Signer> {
  const url = urlOf(settings, call)
  if (expiresInSeconds !== undefined) url.searchParams.set('X-Amz-Expires', String(expiresInSeconds))
  const key = await credentials().catch((error: unknown) => {
    throw new StoreError('NoKey', error instanceof Error ? error.message : String(error), error)
  })
  return new AwsV4Signer({
    ...key, method: call.method, url: url.toString(), headers: { ...call.headers }, service: 's3', region: settings.region,
    datetime: world.now().toISOString().replaceAll(/[-:]|\.\d+/g, ''), signQuery: expiresInSeconds !== undefined,
    ...(call.body === undefined ? {} : { body: call.body }),
  })
}

async function send(bucket: Bucket, call: Call): Promise<Answer> {
  const signed = await (await signer(bucket, call)).sign()
  const deadline = AbortSignal.timeout(DEADLINE_MS)
  try {
    const answer = await bucket.agent.request({
      ...placeOf(signed.url), method: call.method, headers: Object.fromEntries(signed.headers), body: call.body ?? null,
      signal: call.signal ? AbortSignal.any([call.signal, deadline]) : deadline,
    })
    const body = await bounded(answer.body, nameOf(call))
    if (call.expect.includes(answer.statusCode)) return { status: answer.statusCode, headers: answer.headers, body }
    throw refusal(call, answer.statusCode, body)
  } catch (error) {
    if (error instanceof StoreError || call.signal?.aborted) throw error
    throw new StoreError(deadline.aborted ? 'Timeout' : 'Unreachable', `${call.method} ${nameOf(call)} at ${bucket.settings.endpoint}`, error)
  }
}

async function sign(bucket: Bucket, call: Pick<Call, 'method' | 'key' | 'headers'>, expiresInSeconds: number): Promise<URL> {
  return (await (await signer(bucket, call, expiresInSeconds)).sign()).url
}

async function stream(bucket: Bucket, call: Call, body?: Readable): Promise<Streamed> {
  // A content length is part of the message, not of what is signed.
  const { 'Content-Length': length, ...headers } = call.headers ?? {}
  const url = await sign(bucket, { ...call, headers }, STREAM_SECONDS)
  try {
    const answer = await bucket.agent.request({
      ...placeOf(url), method: call.method, headers: { ...headers, ...(length === undefined ? {} : { 'content-length': length }) }, body: body ?? null,
      headersTimeout: SILENCE_MS, bodyTimeout: SILENCE_MS,
    })
    if (call.expect.includes(answer.statusCode)) return { status: answer.statusCode, body: answer.body }
    throw refusal(call, answer.statusCode, await bounded(answer.body, nameOf(call)))
  } catch (error) {
    if (error instanceof StoreError) throw error
    throw new StoreError('Unreachable', `${call.method} ${nameOf(call)} at ${bucket.settings.endpoint}`, error)
  }
}

function urlOf({ endpoint, bucket, pathStyle }: StoreSettings, { key, query }: Pick<Call, 'key' | 'query'>): URL {
  const path = [...(pathStyle ? [bucket] : []), ...(key === undefined ? [] : key.split('/'))].map(encodeURIComponent).join('/')
  const url = new URL(`${endpoint.replace(/\/$/, '')}/${path}`)
  if (!pathStyle) url.hostname = `${bucket}.${url.hostname}`
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value)
  return url
}

function placeOf({ origin, pathname, search }: URL): Readonly<{ origin: string; path: string }> {
  return { origin, path: `${pathname}${search}` }
}

function nameOf(call: Call): string {
  return call.key === undefined ? 'the bucket' : JSON.stringify(call.key)
}

function refusal(call: Call, status: number, body: string): StoreError {
  const s3Code = element(body, 'Code')
  return new StoreError(faultOf(status, s3Code), `${call.method} ${nameOf(call)} was answered ${status}${s3Code === '' ? '' : ` ${s3Code}`}`)
}

async function bounded(chunks: AsyncIterable<Buffer>, name: string): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new StoreError('TooLarge', `${name} is longer than ${MAX_BODY_BYTES} bytes`)
    parts.push(chunk)
  }
  return Buffer.concat(parts).toString('utf8')
}
