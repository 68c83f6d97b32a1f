import type { TrainingRun } from '../../crds/training-run.ts'
import type { ObjectKey } from '../../operator/api/object.ts'
import type { Reader } from '../../operator/cache/cache.ts'
import { isTerminal, type Pod } from '../shared/kinds.ts'
import { UID } from '../shared/labels.ts'
import { audienceOf } from '../training-run/resources/pod.ts'
import { Refusal } from './refusal.ts'
import type { Caller, TokenReviews } from './token-reviews.ts'

export type Admitted = Readonly<{ run: TrainingRun; pod: Pod }>

export type GateDeps = Readonly<{
  runs: Pick<Reader<TrainingRun>, 'get' | 'synced'>
  pods: Pick<Reader<Pod>, 'get' | 'synced'>
  /** The pod as the API server has it now, for one that the cache does not show yet. */
  livePod(key: ObjectKey): Promise<Pod | undefined>
  reviews: TokenReviews
}>

export type Asked = Readonly<{ namespace: string; name: string; authorization: string | undefined }>

/** Lets a request pass if its token belongs to a live pod of exactly this run; else rejects with a Refusal. */
export type Gate = (asked: Asked) => Promise<Admitted>

export function createGate(deps: GateDeps): Gate {
  return async ({ namespace, name, authorization }) => {
    const token = bearer(authorization)
    if (!deps.runs.synced() || !deps.pods.synced()) throw new Refusal('NotReady', 'The operator is starting; try again.')
    const run = deps.runs.get({ namespace, name })
    if (run === undefined) throw new Refusal('RunNotFound', `There is no TrainingRun ${namespace}/${name}.`)
    const caller = await deps.reviews.callerOf(token, audienceOf(run))
    if (caller === undefined) throw new Refusal('Unauthenticated', `The token is not a valid pod token for TrainingRun ${namespace}/${name}.`)
    return { run, pod: await podOf(deps, run, caller) }
  }
}

function bearer(authorization: string | undefined): string {
  const [, token] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? []
  if (token === undefined) throw new Refusal('Unauthenticated', 'A bearer token is required.')
  return token
}

async function podOf(deps: GateDeps, run: TrainingRun, { namespace, pod: { name, uid } }: Caller): Promise<Pod> {
  if (namespace !== run.metadata.namespace) throw foreign(run)
  const cached = deps.pods.get({ namespace, name })
  const pod = cached?.metadata.uid === uid ? cached : await live(deps, { namespace, name })
  if (pod?.metadata.uid !== uid || pod.metadata.labels?.[UID] !== run.metadata.uid) throw foreign(run)
  if (isTerminal(pod)) throw new Refusal('PodNotAllowed', `Pod ${name} has ended.`)
  return pod
}

async function live({ livePod }: GateDeps, key: ObjectKey): Promise<Pod | undefined> {
  return livePod(key).catch((error: unknown) => {
    throw new Refusal('NotReady', 'The API server cannot be asked about the pod right now; try again.', error)
  })
}

function foreign(run: TrainingRun): Refusal {
  return new Refusal('PodNotAllowed', `The token belongs to no pod of TrainingRun ${run.metadata.namespace}/${run.metadata.name}.`)
}
