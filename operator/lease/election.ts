import { resourceType, type KubeObject, type ObjectKey } from '../api/object.ts'
import type { Client } from '../api/resource.ts'
import { canonicalJson } from '../meta/hash.ts'
import { toMicroTime } from '../meta/time.ts'
import type { Log } from '../observe/log.ts'
import type { World } from '../world.ts'
import { RENEW_DEADLINE_MS, type Fence } from './fence.ts'

const LEASE_DURATION_S = 15 // client-go's; a standby waits this long after the last renewal it saw
const LEASE_DURATION_MS = LEASE_DURATION_S * 1000
const RETRY_MS = 2_000 // client-go's; five renewals may fail before the deadline
const ATTEMPT_MS = RENEW_DEADLINE_MS / 2 // controller-runtime's: one connection that hangs must not cost the lease
const JITTER = 1.2 // standbys spread their looks over RETRY_MS / 1.2 … RETRY_MS, so a takeover comes within lease + retry

export type Lease = KubeObject &
  Readonly<{
    spec?: Readonly<{
      holderIdentity?: string
      leaseDurationSeconds?: number
      acquireTime?: string
      renewTime?: string
      leaseTransitions?: number
    }>
  }>

export const LeaseType = resourceType<Lease>({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases', scope: 'Namespaced' })

export type ElectionOptions = Readonly<{
  /** Must not be fenced: renewing is what opens the fence. */
  client: Pick<Client, 'get' | 'create' | 'patch'>
  world: World
  log: Log
  fence: Fence
  lease: ObjectKey
  /** `<pod name>_<pod uid>`: a restarted container takes its own lease back at once. */
  identity: string
  startedLeading: () => void
  /** The lease is lost; the process has to end, for another replica may be at work. */
  lost: () => void
}>

/** Takes part in the election for one Lease, as client-go does; trusts no clock but its own. */
export class Election {
  readonly #options: ElectionOptions
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  #leading = false
  #isOver = false
  /** The look or renewal begun last; it may go on after it was given up. */
  #holding: Promise<boolean> | undefined
  /** The lease as last written by us or read, and the local time at which its record was seen to change. */
  #seen: Readonly<{ lease: Lease; record: string; atMs: number }> | undefined
  #lastFailure = ''

  constructor(options: ElectionOptions) {
    this.#options = options
  }

  isLeading(): boolean {
    return this.#leading
  }

  /** Why this process should be restarted, or undefined while the lease is renewed or held by somebody else. */
  complaint(): string | undefined {
    const ageMs = this.#options.fence.ageMs()
    if (!this.#leading || (ageMs !== undefined && ageMs <= RENEW_DEADLINE_MS)) return undefined
    return `lease ${this.#options.lease.name} is held but could not be renewed for ${Math.round((ageMs ?? Infinity) / 1000)} s`
  }

  start(): void {
    this.#running ??= this.#run(this.#stop.signal)
  }

  /** Leaves the election and gives the lease back. Safe only once everything that writes has stopped. */
  async release(): Promise<void> {
    this.#isOver = true
    this.#stop.abort()
    await this.#running
    this.#options.fence.close()
    await this.#holding // a renewal under way would make ours a conflict
    this.#leading = false
    const lease = this.#seen?.lease
    if (lease?.spec?.holderIdentity !== this.#options.identity) return
    const spec = { ...this.#record(lease), holderIdentity: '', leaseDurationSeconds: 1 }
    await this.#write(lease, spec).catch((error: unknown) =>
      this.#options.log.warn({ err: error }, 'could not release the lease; a successor waits until it expires'))
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !(await this.#attempt(signal))) await this.#pause(this.#patienceMs(), signal)
    if (signal.aborted) return
    this.#leading = true
    this.#options.log.info({ lease: this.#options.lease.name, identity: this.#options.identity }, 'started leading')
    this.#options.startedLeading()
    while (!signal.aborted && this.#remainingMs() > 0) {
      await this.#pause(Math.min(RETRY_MS, this.#remainingMs()), signal)
      if (!signal.aborted && this.#remainingMs() > 0) await this.#attempt(signal)
    }
    if (signal.aborted) return
    this.#isOver = true
    this.#leading = false
    this.#options.fence.close()
    this.#options.log.error({ lease: this.#options.lease.name, identity: this.#options.identity }, 'lost the lease')
    this.#options.lost()
  }

  /** One look or renewal, given up while there is time for another; true if the lease is ours. */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    const done = new AbortController()
    const limitMs = this.#leading ? Math.min(ATTEMPT_MS, this.#remainingMs()) : ATTEMPT_MS
    const givenUp = this.#options.world.sleep(limitMs, AbortSignal.any([signal, done.signal])).then(
      () => this.#failed(new Error(`no answer within ${Math.round(limitMs)} ms`)),
      () => false, // answered, or leaving the election
    )
    this.#holding = this.#hold().catch((error: unknown) => this.#failed(error))
    const outcome = await Promise.race([this.#holding, givenUp])
    done.abort()
    return outcome
  }

  async #hold(): Promise<boolean> {
    const known = this.#leading ? this.#seen?.lease : undefined
    const lease = known ?? (await this.#options.client.get(LeaseType, this.#options.lease))
    if (lease) this.#look(lease)
    if (lease && this.#isHeldByAnother(lease)) return this.#giveWay()
    if (this.#isOver) return false
    const sentAtMs = this.#options.world.monotonicMs()
    const written = lease ? await this.#write(lease, this.#record(lease)) : await this.#create()
    this.#look(written)
    this.#lastFailure = ''
    if (!this.#isOver) this.#options.fence.renewed(sentAtMs)
    return true
  }

  /** Whoever holds the lease may be at work already: a leader does not use up the time until its own deadline. */
  #giveWay(): false {
    if (this.#leading) this.#options.fence.close()
    return false
  }

  #failed(error: unknown): boolean {
    const failure = error instanceof Error ? error.message : String(error)
    if (failure !== this.#lastFailure) this.#options.log.warn({ err: error, lease: this.#options.lease.name }, 'could not look at or renew the lease')
    this.#lastFailure = failure
    // What was known may be outdated: look before the next write.
    if (this.#leading) this.#seen = undefined
    return false
  }

  #isHeldByAnother(lease: Lease): boolean {
    const holder = lease.spec?.holderIdentity ?? ''
    return holder !== '' && holder !== this.#options.identity && this.#expiresInMs() > 0
  }

  #look(lease: Lease): void {
    const record = canonicalJson(lease.spec)
    const atMs = this.#seen?.record === record ? this.#seen.atMs : this.#options.world.monotonicMs()
    this.#seen = { lease, record, atMs }
  }

  #expiresInMs(): number {
    return this.#seen ? this.#seen.atMs + LEASE_DURATION_MS - this.#options.world.monotonicMs() : 0
  }

  /** A standby looks every two seconds or so, and at the very moment at which the lease it sees expires. */
  #patienceMs(): number {
    const usualMs = RETRY_MS / (1 + (JITTER - 1) * this.#options.world.random())
    return this.#expiresInMs() > 0 ? Math.min(usualMs, this.#expiresInMs()) : usualMs
  }

  #remainingMs(): number {
    return RENEW_DEADLINE_MS - (this.#options.fence.ageMs() ?? Infinity)
  }

  /** Our record of a lease: transitions count changes of the holder. */
  #record(lease: Lease | undefined): NonNullable<Lease['spec']> {
    const now = toMicroTime(this.#options.world.now())
    const { holderIdentity, acquireTime, leaseTransitions = 0 } = lease?.spec ?? {}
    const stays = holderIdentity === this.#options.identity
    return {
      holderIdentity: this.#options.identity,
      leaseDurationSeconds: LEASE_DURATION_S,
      acquireTime: stays && acquireTime !== undefined ? acquireTime : now,
      renewTime: now,
      leaseTransitions: stays || lease === undefined ? leaseTransitions : leaseTransitions + 1,
    }
  }

  #create(): Promise<Lease> {
    const { namespace, name } = this.#options.lease
    const metadata = namespace === undefined ? { name } : { namespace, name }
    const lease = { apiVersion: LeaseType.apiVersion, kind: LeaseType.kind, metadata, spec: this.#record(undefined) }
    return this.#options.client.create(LeaseType, lease)
  }

  #write(lease: Lease, spec: NonNullable<Lease['spec']>): Promise<Lease> {
    const body = { metadata: { resourceVersion: lease.metadata.resourceVersion }, spec }
    return this.#options.client.patch(LeaseType, this.#options.lease, { contentType: 'application/merge-patch+json', body })
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return this.#options.world.sleep(ms, signal).catch(() => undefined) // aborted: the caller looks at the signal
  }
}
