import { z } from 'zod'

import type { Pod } from '../shared/kinds.ts'
import { ATTEMPT, ROLE, type Owner } from '../shared/labels.ts'
import { StoreError } from '../store/error.ts'
import { keyOfUri, keyProblem, mayShare, mayWrite, prefixProblem, runPrefix, uriOf, VERDICT_CACHE, type Writer } from '../store/keys.ts'
import type { ObjectStore, Presigned } from '../store/store.ts'
import { PRESIGNED_SECONDS } from '../store/store.ts'
import type { Admitted } from './gate.ts'
import { Refusal } from './refusal.ts'

const MAX_REQUESTS = 1000
const MAX_OBJECTS = 10_000

const presignSchema = z.strictObject({
  requests: z.array(z.union([
    z.strictObject({ method: z.enum(['GET', 'PUT']), key: z.string() }),
    z.strictObject({ method: z.enum(['GET', 'PUT']), uri: z.string() }),
  ])).min(1).max(MAX_REQUESTS),
})
type PresignRequest = z.infer<typeof presignSchema>['requests'][number]

const objectsSchema = z.union([z.strictObject({ prefix: z.string() }), z.strictObject({ uri: z.string() })])

export type Urls = Readonly<{ urls: readonly (PresignRequest & Presigned)[]; expiresInSeconds: number }>

/** Signs each request for what the pod may write or read in the owner's own prefix, or share under its namespace. Rejects with a Refusal; then nothing was signed. */
export async function presign(store: ObjectStore, admitted: Admitted, body: unknown): Promise<Urls> {
  const { requests } = parse(presignSchema, body, `The body must be {"requests":[{"method","key"} or {"method","uri"}]} with 1 to ${MAX_REQUESTS} requests.`)
  const keys = requests.map((request) => keyOf(store, admitted, request))
  const urls: (PresignRequest & Presigned)[] = []
  for (const [index, request] of requests.entries()) {
    urls.push({ ...request, ...(await fromStore(store.presign(request.method, keys[index] ?? ''))) })
  }
  return { urls, expiresInSeconds: PRESIGNED_SECONDS }
}

export type Objects = Readonly<{ objects: readonly Readonly<{ key?: string; uri?: string; sizeBytes: number; lastModifiedTime: string }>[] }>

/** Lists the owner's objects by prefix, or what lies under a URI of its namespace. Rejects with a Refusal. */
export async function objects(store: ObjectStore, owner: Owner, query: unknown): Promise<Objects> {
  const asked = parse(objectsSchema, query, 'The query must have either prefix or uri.')
  const own = prefixOf(owner)
  if ('prefix' in asked) {
    const problem = prefixProblem(asked.prefix)
    if (problem !== undefined) throw new Refusal('InvalidKey', `prefix ${JSON.stringify(asked.prefix)} ${problem}.`)
    const listed = await fromStore(store.list(own + asked.prefix, MAX_OBJECTS))
    return { objects: listed.map(({ key, ...rest }) => ({ key: key.slice(own.length), ...rest })) }
  }
  const prefix = namespaceKey(store, owner, asked.uri, prefixProblem)
  const cached = `${owner.metadata.namespace ?? ''}/${VERDICT_CACHE}`
  const listed = (await fromStore(store.list(prefix, MAX_OBJECTS))).filter(({ key }) => !key.startsWith(cached))
  return { objects: listed.map(({ key, ...rest }) => ({ uri: uriOf(store.bucket, key), ...rest })) }
}

function keyOf(store: ObjectStore, { owner, pod }: Admitted, request: PresignRequest): string {
  if ('uri' in request) return sharedKey(store, { owner, pod }, request)
  const key = prefixOf(owner) + request.key
  const problem = keyProblem(request.key) ?? keyProblem(key) // the limit on length counts the prefix too
  if (problem !== undefined) throw new Refusal('InvalidKey', `key ${JSON.stringify(request.key)} ${problem}.`)
  if (request.method === 'PUT' && !mayWrite(writerIn(pod), request.key)) {
    throw new Refusal('InvalidKey', `key ${JSON.stringify(request.key)} is not for pod ${pod.metadata.name} to write: it belongs to another program, attempt or pod.`)
  }
  return key
}

function sharedKey(store: ObjectStore, { owner, pod }: Admitted, { method, uri }: Readonly<{ method: 'GET' | 'PUT'; uri: string }>): string {
  const key = namespaceKey(store, owner, uri, keyProblem)
  const asked = { kind: owner.kind, role: pod.metadata.labels?.[ROLE], method }
  if (mayShare(asked, key.slice((owner.metadata.namespace ?? '').length + 1))) return key
  throw new Refusal('InvalidKey', `uri ${JSON.stringify(uri)} is not for pod ${pod.metadata.name} to ${method === 'GET' ? 'read' : 'write'}.`)
}

function writerIn({ metadata: { uid, labels } }: Pod): Writer {
  return { role: labels?.[ROLE], attempt: labels?.[ATTEMPT], podUid: uid }
}

function namespaceKey(store: ObjectStore, owner: Owner, uri: string, problemOf: (key: string) => string | undefined): string {
  const found = keyOfUri(uri, store.bucket, owner.metadata.namespace ?? '')
  const problem = 'problem' in found ? found.problem : problemOf(found.key)
  if ('problem' in found || problem !== undefined) throw new Refusal('InvalidKey', `uri ${JSON.stringify(uri)} ${problem}.`)
  return found.key
}

function prefixOf(owner: Owner): string {
  return runPrefix({ namespace: owner.metadata.namespace ?? '', uid: owner.metadata.uid ?? '' })
}

function parse<T>(schema: z.ZodType<T>, raw: unknown, message: string): T {
  const parsed = schema.safeParse(raw)
  if (!parsed.success) throw new Refusal('InvalidRequest', message)
  return parsed.data
}

/** What the store answers, its trouble as a Refusal. */
export async function fromStore<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    if (error instanceof StoreError && error.code === 'TooLarge') throw new Refusal('TooManyObjects', `${error.message}; ask for a longer prefix.`, error)
    if (error instanceof StoreError) throw new Refusal('StoreUnavailable', error.message, error)
    throw error
  })
}
