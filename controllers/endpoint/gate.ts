import type { ObjectKey } from '../../operator/api/object.ts'
import type { Reader } from '../../operator/cache/cache.ts'
import { isTerminal, type Pod } from '../shared/kinds.ts'
import { UID, type Owner, type OwnerKind } from '../shared/labels.ts'
import { audienceOf } from '../jobs/identity.ts'
import { Refusal } from './refusal.ts'
import { claimedAudience, type Caller, type TokenReviews } from './token-reviews.ts'

export type Admitted = Readonly<{ owner: Owner; pod: Pod }>

/** Where the objects of one kind are found. */
export type OwnerSource = Readonly<{
  kind: OwnerKind
  cached: Pick<Reader<Owner>, 'get' | 'synced'>
  /** The object as the API server has it now, for one that the cache does not show. */
  live(key: ObjectKey): Promise<Owner | undefined>
}>

export type GateDeps = Readonly<{
  /** By the plural in the path. */
  owners: Readonly<Record<string, OwnerSource>>
  pods: Pick<Reader<Pod>, 'get' | 'synced'>
  /** The pod as the API server has it now, for one that the cache does not show yet. */
  livePod(key: ObjectKey): Promise<Pod | undefined>
  reviews: TokenReviews
}>

export type Asked = Readonly<{ plural: string; namespace: string; name: string; authorization: string | undefined }>

/** Lets a request pass if its token belongs to a live pod of exactly this owner, and the owner is to stay; else rejects with a Refusal. */
export type Gate = (asked: Asked) => Promise<Admitted>

export function createGate(deps: GateDeps): Gate {
  return async ({ plural, namespace, name, authorization }) => {
    const token = bearer(authorization)
    const source = deps.owners[plural]
    if (source === undefined) throw new Refusal('RouteNotFound', 'There is no such path.')
    if (!source.cached.synced() || !deps.pods.synced()) throw new Refusal('NotReady', 'The operator is starting; try again.')
    const what = `${source.kind} ${namespace}/${name}`
    const cached = source.cached.get({ namespace, name })
    // Whoever asks for an owner that the cache does not show must prove to be a pod of some owner before the API server is asked for it.
    const audience = cached ? audienceOf(cached) : claimedAudience(token)
    if (audience === undefined) throw new Refusal('RunNotFound', `There is no ${what}.`)
    const caller = await deps.reviews.callerOf(token, audience)
    if (caller === undefined) throw unauthenticated(what)
    if (caller.namespace !== namespace) throw foreign(what)
    const owner = cached ?? (await live(source.kind, source.live({ namespace, name })))
    if (owner === undefined) throw new Refusal('RunGone', `There is no ${what} any more; its pods may stop.`)
    if (audienceOf(owner) !== audience) throw unauthenticated(what)
    if (owner.metadata.deletionTimestamp !== undefined) throw new Refusal('RunGone', `${what} is being deleted; its pods may stop.`)
    return { owner, pod: await podOf(deps, owner, caller) }
  }
}

function bearer(authorization: string | undefined): string {
  const [, token] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? []
  if (token === undefined) throw new Refusal('Unauthenticated', 'A bearer token is required.')
  return token
}

async function podOf(deps: GateDeps, owner: Owner, { namespace, pod: { name, uid } }: Caller): Promise<Pod> {
  const cached = deps.pods.get({ namespace, name })
  const pod = cached?.metadata.uid === uid ? cached : await live('pod', deps.livePod({ namespace, name }))
  if (pod?.metadata.uid !== uid || pod.metadata.labels?.[UID] !== owner.metadata.uid) throw foreign(`${owner.kind} ${namespace}/${owner.metadata.name}`)
  if (isTerminal(pod)) throw new Refusal('PodNotAllowed', `Pod ${name} has ended.`)
  return pod
}

async function live<T>(what: string, answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    throw new Refusal('NotReady', `The API server cannot be asked about the ${what} right now; try again.`, error)
  })
}

function unauthenticated(what: string): Refusal {
  return new Refusal('Unauthenticated', `The token is not a valid pod token for ${what}.`)
}

function foreign(what: string): Refusal {
  return new Refusal('PodNotAllowed', `The token belongs to no pod of ${what}.`)
}
