import { createHash } from 'node:crypto'
import { z } from 'zod'

import type { Client } from '../../operator/api/resource.ts'
import type { World } from '../../operator/world.ts'
import { isAudience } from '../jobs/identity.ts'
import { Refusal } from './refusal.ts'

/** Who holds a token, as the API server says. */
export type Caller = Readonly<{ namespace: string; pod: Readonly<{ name: string; uid: string }> }>

export type TokenReviews = Readonly<{
  /** Undefined if the token is not a pod's, not valid, or not for this audience. Rejects with a 503 Refusal if the API server cannot tell. */
  callerOf(token: string, audience: string): Promise<Caller | undefined>
}>

const TRUST_MS = 60_000 // whether the pod still lives is looked up each time, so this only bounds an expired token
const DISTRUST_MS = 10_000 // a pod may be asking for the first time while the API server is behind
const MAX_REMEMBERED = 4096 // a few hundred bytes each; more pods than an operator ever runs at once
const MAX_AT_ONCE = 32 // a flood of guesses must not become a flood of TokenReviews
const MAX_TOKEN_CHARS = 8192
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/
const PATH = '/apis/authentication.k8s.io/v1/tokenreviews'

const answerSchema = z.object({
  status: z.object({
    authenticated: z.boolean().default(false),
    audiences: z.array(z.string()).default([]),
    user: z.object({ username: z.string().default(''), extra: z.record(z.string(), z.array(z.string())).default({}) }).optional(),
  }),
})

type Remembered = Readonly<{ caller: Caller | undefined; untilMs: number }>

/** Asks the API server about tokens and remembers the answers for a while, by hash. */
export function createTokenReviews(client: Pick<Client, 'post'>, world: World): TokenReviews {
  const remembered = new Map<string, Remembered>()
  const asking = new Map<string, Promise<Caller | undefined>>()

  async function ask(key: string, token: string, audience: string): Promise<Caller | undefined> {
    const caller = await review(client, token, audience)
    remembered.delete(key)
    remembered.set(key, { caller, untilMs: world.monotonicMs() + (caller ? TRUST_MS : DISTRUST_MS) })
    const oldest = remembered.size > MAX_REMEMBERED ? remembered.keys().next().value : undefined
    if (oldest !== undefined) remembered.delete(oldest)
    return caller
  }

  return {
    async callerOf(token, audience) {
      if (token.length > MAX_TOKEN_CHARS || !JWT.test(token)) return undefined
      const key = createHash('sha256').update(audience).update('\0').update(token).digest('base64')
      const known = remembered.get(key)
      if (known && known.untilMs > world.monotonicMs()) return known.caller
      const pending = asking.get(key)
      if (pending) return pending
      if (asking.size >= MAX_AT_ONCE) throw new Refusal('Busy', 'Too many tokens are being checked; try again.')
      const answer = ask(key, token, audience).finally(() => asking.delete(key))
      asking.set(key, answer)
      return answer
    },
  }
}

const claimsSchema = z.object({ aud: z.union([z.string(), z.array(z.string())]) })

/** The audience of a run that a token claims to be for. It proves nothing: what it says is for the API server to confirm. */
export function claimedAudience(token: string): string | undefined {
  if (token.length > MAX_TOKEN_CHARS || !JWT.test(token)) return undefined
  try {
    const { aud } = claimsSchema.parse(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')))
    return [aud].flat().find(isAudience)
  } catch {
    return undefined // no token of a service account
  }
}

async function review(client: Pick<Client, 'post'>, token: string, audience: string): Promise<Caller | undefined> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences: [audience] } }
  const answer = await client.post(PATH, body).catch((error: unknown) => {
    throw new Refusal('NotReady', 'The API server cannot check tokens right now; try again.', error)
  })
  const { status } = answerSchema.parse(answer)
  // A server that ignores audiences returns none: then the token is for the API server, not for us.
  if (!status.authenticated || !status.audiences.includes(audience)) return undefined
  const [, namespace] = /^system:serviceaccount:([^:]+):[^:]+$/.exec(status.user?.username ?? '') ?? []
  const name = status.user?.extra['authentication.kubernetes.io/pod-name']?.[0]
  const uid = status.user?.extra['authentication.kubernetes.io/pod-uid']?.[0]
  return namespace && name && uid ? { namespace, pod: { name, uid } } : undefined
}
