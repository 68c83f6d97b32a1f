import type { TrainingRun } from '../../crds/training-run.ts'
import type { ObjectKey } from '../../operator/api/object.ts'
import type { Reader } from '../../operator/cache/cache.ts'
import { isTerminal, type Pod } from '../shared/kinds.ts'
import { UID } from '../shared/labels.ts'
import { audienceOf } from '../jobs/program-job.ts'
import { Refusal } from './refusal.ts'
import { claimedAudience, type Caller, type TokenReviews } from './token-reviews.ts'

export type Admitted = Readonly<{ run: TrainingRun; pod: Pod }>

export type GateDeps = Readonly<{
  runs: Pick<Reader<TrainingRun>, 'get' | 'synced'>
  pods: Pick<Reader<Pod>, 'get' | 'synced'>
  /** The run as the API server has it now, for one that the cache does not show. */
  liveRun(key: ObjectKey): Promise<TrainingRun | undefined>
  /** The pod as the API server has it now, for one that the cache does not show yet. */
  livePod(key: ObjectKey): Promise<Pod | undefined>
  reviews: TokenReviews
}>

export type Asked = Readonly<{ namespace: string; name: string; authorization: string | undefined }>

/** Lets a request pass if its token belongs to a live pod of exactly this run, and the run is to stay; else rejects with a Refusal. */
export type Gate = (asked: Asked) => Promise<Admitted>

export function createGate(deps: GateDeps): Gate {
  return async ({ namespace, name, authorization }) => {
    const token = bearer(authorization)
    if (!deps.runs.synced() || !deps.pods.synced()) throw new Refusal('NotReady', 'The operator is starting; try again.')
    const cached = deps.runs.get({ namespace, name })
    // Whoever asks for a run that the cache does not show must prove to be a pod of some run before the API server is asked for it.
    const audience = cached ? audienceOf(cached) : claimedAudience(token)
    if (audience === undefined) throw new Refusal('RunNotFound', `There is no TrainingRun ${namespace}/${name}.`)
    const caller = await deps.reviews.callerOf(token, audience)
    if (caller === undefined) throw unauthenticated({ namespace, name })
    if (caller.namespace !== namespace) throw foreign({ namespace, name })
    const run = cached ?? (await live('TrainingRun', deps.liveRun({ namespace, name })))
    if (run === undefined) throw new Refusal('RunGone', `There is no TrainingRun ${namespace}/${name} any more; its pods may stop.`)
    if (audienceOf(run) !== audience) throw unauthenticated({ namespace, name })
    if (run.metadata.deletionTimestamp !== undefined) throw new Refusal('RunGone', `TrainingRun ${namespace}/${name} is being deleted; its pods may stop.`)
    return { run, pod: await podOf(deps, run, caller) }
  }
}

function bearer(authorization: string | undefined): string {
  const [, token] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? []
  if (token === undefined) throw new Refusal('Unauthenticated', 'A bearer token is required.')
  return token
}

async function podOf(deps: GateDeps, run: TrainingRun, { namespace, pod: { name, uid } }: Caller): Promise<Pod> {
  const cached = deps.pods.get({ namespace, name })
  const pod = cached?.metadata.uid === uid ? cached : await live('pod', deps.livePod({ namespace, name }))
  if (pod?.metadata.uid !== uid || pod.metadata.labels?.[UID] !== run.metadata.uid) throw foreign(run.metadata)
  if (isTerminal(pod)) throw new Refusal('PodNotAllowed', `Pod ${name} has ended.`)
  return pod
}

async function live<T>(what: string, answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    throw new Refusal('NotReady', `The API server cannot be asked about the ${what} right now; try again.`, error)
  })
}

function unauthenticated({ namespace, name }: ObjectKey): Refusal {
  return new Refusal('Unauthenticated', `The token is not a valid pod token for TrainingRun ${namespace}/${name}.`)
}

function foreign({ namespace, name }: ObjectKey): Refusal {
  return new Refusal('PodNotAllowed', `The token belongs to no pod of TrainingRun ${namespace}/${name}.`)
}
