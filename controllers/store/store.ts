import type { Readable } from 'node:stream'
import type { World } from '../../operator/world.ts'
import type { Credentials } from './credentials.ts'
import { StoreError } from './error.ts'
import { createExchange, type Exchange, type StoreSettings } from './exchange.ts'
import { parseListing, type StoredObject } from './listing.ts'

/** A URL good for one transfer; the headers must be sent exactly as they are. */
export type Presigned = Readonly<{ url: string; headers: Readonly<Record<string, string>> }>

/** The artifact store: one bucket behind the S3 API. Keys are relative to the bucket. Every call may reject with StoreError. */
export type ObjectStore = Readonly<{
  bucket: string
  /** A PUT never replaces: the store answers 412 where an object exists. */
  presign(method: 'GET' | 'PUT', key: string): Promise<Presigned>
  /** Undefined if there is no such object; at most 4 MiB. */
  getJson(key: string, signal?: AbortSignal): Promise<unknown>
  /** The object as it arrives; undefined if there is none. */
  open(key: string): Promise<Readable | undefined>
  /** Streams an object of known size into the store. `Never` leaves what is there as it is and says so. */
  write(key: string, body: Readable, how: Readonly<{ sizeBytes: number; replaces: 'Never' | 'Always' }>): Promise<'Written' | 'Exists'>
  /** Everything under the prefix, all pages; rejects with `TooLarge` beyond `limit` objects. */
  list(prefix: string, limit: number, signal?: AbortSignal): Promise<readonly StoredObject[]>
  /** Writes only where nothing is yet. */
  putJsonOnce(key: string, value: unknown, signal?: AbortSignal): Promise<'Written' | 'Exists'>
  createBucketIfMissing(signal?: AbortSignal): Promise<void>
  close(): Promise<void>
}>

export const PRESIGNED_SECONDS = 3600 // as long as the projected token that asks for it

/** The bucket that `settings` name, opened with whatever the credentials are at the time of each call. */
export function createObjectStore(settings: StoreSettings, credentials: () => Promise<Credentials>, world: World): ObjectStore {
  const exchange = createExchange(settings, credentials, world)
  return {
    bucket: settings.bucket,
    presign: (method, key) => presign(exchange, method, key),
    getJson: (key, signal) => getJson(exchange, key, signal),
    open: (key) => open(exchange, key),
    write: (key, body, how) => write(exchange, key, body, how),
    list: (prefix, limit, signal) => list(exchange, prefix, limit, signal),
    putJsonOnce: (key, value, signal) => putJsonOnce(exchange, key, value, signal),
    createBucketIfMissing: (signal) => createBucketIfMissing(exchange, settings.region, signal),
    close: exchange.close,
  }
}

async function presign(exchange: Exchange, method: 'GET' | 'PUT', key: string): Promise<Presigned> {
  const headers: Readonly<Record<string, string>> = method === 'PUT' ? { 'If-None-Match': '*' } : {}
  return { url: await exchange.sign({ method, key, headers }, PRESIGNED_SECONDS), headers }
}

async function getJson(exchange: Exchange, key: string, signal?: AbortSignal): Promise<unknown> {
  const { status, body } = await exchange.send({ method: 'GET', key, expect: [200, 404], ...withSignal(signal) })
  if (status === 404) return absent(body)
  try {
    return JSON.parse(body)
  } catch (error) {
    throw new StoreError('Malformed', `${JSON.stringify(key)} is not JSON`, error)
  }
}

async function open(exchange: Exchange, key: string): Promise<Readable | undefined> {
  const { status, body } = await exchange.stream({ method: 'GET', key, expect: [200, 404] })
  if (status === 200) return body
  body.resume()
  return undefined
}

async function write(exchange: Exchange, key: string, body: Readable, { sizeBytes, replaces }: Readonly<{ sizeBytes: number; replaces: 'Never' | 'Always' }>): Promise<'Written' | 'Exists'> {
  const headers = { ...(replaces === 'Never' ? { 'If-None-Match': '*' } : {}), 'Content-Length': String(sizeBytes) }
  const answer = await exchange.stream({ method: 'PUT', key, headers, expect: [200, 412] }, body)
  answer.body.resume()
  return answer.status === 412 ? 'Exists' : 'Written'
}

async function list(exchange: Exchange, prefix: string, limit: number, signal?: AbortSignal): Promise<readonly StoredObject[]> {
  const objects: StoredObject[] = []
  let continuation: string | undefined
  do {
    const query = { 'list-type': '2', prefix, ...(continuation === undefined ? {} : { 'continuation-token': continuation }) }
    const page = parseListing((await exchange.send({ method: 'GET', query, expect: [200], ...withSignal(signal) })).body)
    objects.push(...page.objects)
    if (objects.length > limit) throw new StoreError('TooLarge', `more than ${limit} objects lie under ${JSON.stringify(prefix)}`)
    continuation = page.continuation
  } while (continuation !== undefined)
  return objects
}

async function putJsonOnce(exchange: Exchange, key: string, value: unknown, signal?: AbortSignal): Promise<'Written' | 'Exists'> {
  const headers = { 'If-None-Match': '*', 'Content-Type': 'application/json' }
  const { status } = await exchange.send({ method: 'PUT', key, headers, body: JSON.stringify(value), expect: [200, 412], ...withSignal(signal) })
  return status === 412 ? 'Exists' : 'Written'
}

async function createBucketIfMissing(exchange: Exchange, region: string, signal?: AbortSignal): Promise<void> {
  const { status } = await exchange.send({ method: 'HEAD', expect: [200, 404], ...withSignal(signal) })
  if (status === 200) return
  const elsewhere = `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`
  const body = region === 'us-east-1' ? '' : elsewhere // AWS refuses its home region as a constraint and demands any other
  await exchange.send({ method: 'PUT', body, expect: [200, 409], ...withSignal(signal) })
}

/** A missing bucket answers a read with 404 too, and is not a missing object. */
function absent(body: string): undefined {
  if (body.includes('<Code>NoSuchBucket</Code>')) throw new StoreError('NoBucket', 'it is created when the operator starts')
  return undefined
}

function withSignal(signal: AbortSignal | undefined): Readonly<{ signal?: AbortSignal }> {
  return signal === undefined ? {} : { signal }
}
