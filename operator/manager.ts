import { assemble, type Parts } from './assembly.ts'
import type { ManagerOptions, Runtime, Service } from './runtime.ts'

/** Why a manager ended: asked to, or because going on would be wrong. */
export type Ended = Readonly<{ reason: 'Stopped' }> | Readonly<{ reason: 'LeaseLost' | 'LeadingFailed'; error: Error }>

export type Manager = Readonly<{
  runtime: Runtime
  /**
   * Resolves when this replica serves and takes part in the election, or is stopped meanwhile.
   * Rejects if the caches do not sync within two minutes, or with what a service rejected with.
   */
  start(): Promise<void>
  /** Finishes passes under way (25 s), gives the lease back, flushes events. Can be called at any time, more than once. */
  stop(): Promise<void>
  /** Never rejects. After `LeaseLost` or `LeadingFailed` the process should exit with a failure at once. */
  ended: Promise<Ended>
  /** The port of health, readiness and metrics once started. */
  httpPort(): number
}>

const WORKERS_STOP_MS = 25_000 // design: 25 s for passes under way and 5 s for the rest, within a pod grace of 45 s
const STEP_STOP_MS = 5_000
const FLUSH_MS = 2_000

/** Puts an operator together; nothing runs before `start`. */
export function createManager(options: ManagerOptions): Manager {
  const { promise: ended, resolve: end } = Promise.withResolvers<Ended>()
  const life = new Lifecycle(options, end)
  return {
    runtime: life.parts.runtime,
    start: () => life.start(),
    stop: () => life.stop(),
    ended,
    httpPort: () => life.parts.server.port(),
  }
}

/** The order in which things start and stop. */
class Lifecycle {
  readonly parts: Parts
  readonly #options: ManagerOptions
  readonly #services: readonly Service[]
  readonly #end: (ended: Ended) => void
  readonly #stop = new AbortController()
  readonly #started: Service[] = []
  #serving = false
  #starting: Promise<void> | undefined
  #leading: Promise<void> | undefined
  #stopping: Promise<void> | undefined

  constructor(options: ManagerOptions, end: (ended: Ended) => void) {
    this.#options = options
    this.#end = end
    this.parts = assemble(options, {
      isServing: () => this.#serving,
      startedLeading: () => void (this.#leading = this.#lead()),
      lost: () => end({ reason: 'LeaseLost', error: new Error(`lost the lease ${options.leaseName}`) }),
    })
    this.#services = options.services?.(this.parts.runtime) ?? []
  }

  start(): Promise<void> {
    this.#starting ??= this.#rise().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) throw error
    })
    return this.#starting
  }

  /** HTTP first, so that a slow start can be watched; caches before anything that reads them; election last. */
  async #rise(): Promise<void> {
    const { server, cache, election, runtime } = this.parts
    await server.start()
    cache.start()
    await cache.waitForSync(this.#stop.signal)
    await this.#startServices('Always')
    this.#serving = true
    await this.#options.onStandby?.(runtime)
    if (!this.#stop.signal.aborted) election.start()
  }

  /** A consistent list shows a predecessor's last writes, before anybody acts on the cache. */
  async #lead(): Promise<void> {
    const { cache, runners, runtime } = this.parts
    try {
      await cache.relist()
      await this.#startServices('WhenLeading')
      this.#stop.signal.throwIfAborted()
      await this.#options.onLeading?.(runtime)
      if (!this.#stop.signal.aborted) for (const runner of runners) runner.start()
    } catch (cause) {
      if (this.#stop.signal.aborted) return
      this.#options.log.error({ err: cause }, 'could not start leading')
      this.#end({ reason: 'LeadingFailed', error: new Error('could not start leading', { cause }) })
    }
  }

  async #startServices(when: Service['runs']): Promise<void> {
    for (const service of this.#services.filter(({ runs }) => runs === when)) {
      this.#stop.signal.throwIfAborted()
      this.#started.push(service)
      await service.start()
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#wind()
    return this.#stopping
  }

  /** Workers, services, caches, HTTP; then the lease, as now nothing writes; then the last events. */
  async #wind(): Promise<void> {
    const { cache, server, election, recorder, transport, runners, runtime } = this.parts
    this.#stop.abort(new Error('stopping'))
    const workers = Promise.all(runners.map((runner) => runner.stop()))
    await this.#within(WORKERS_STOP_MS, 'workers', () => workers)
    for (const runner of runners) runner.abort()
    await this.#within(STEP_STOP_MS, 'last writes', () => workers)
    await this.#within(STEP_STOP_MS, 'leading', async () => this.#leading)
    for (const service of this.#started.toReversed()) await this.#within(STEP_STOP_MS, service.name, () => service.stop())
    if (election.isLeading()) await this.#within(STEP_STOP_MS, 'standby', async () => this.#options.onStandby?.(runtime))
    await this.#within(STEP_STOP_MS, 'caches', () => cache.stop())
    await this.#within(STEP_STOP_MS, 'http', () => server.stop())
    await this.#within(STEP_STOP_MS, 'lease', () => election.release())
    await this.#within(STEP_STOP_MS, 'events', () => recorder.flush(FLUSH_MS))
    await this.#within(STEP_STOP_MS, 'connections', () => transport.close())
    this.#end({ reason: 'Stopped' })
  }

  /** On the way down an error is logged and the next step taken. */
  async #within(ms: number, step: string, stop: () => Promise<unknown>): Promise<void> {
    const done = new AbortController()
    const late = this.#options.world.sleep(ms, done.signal).then(
      () => this.#options.log.warn({ step, ms }, 'did not stop in time; going on'),
      () => undefined, // stopped in time
    )
    const stopped = stop().catch((error: unknown) => this.#options.log.warn({ err: error, step }, 'did not stop cleanly; going on'))
    await Promise.race([stopped, late])
    done.abort()
  }
}
