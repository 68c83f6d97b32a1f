import { isAlreadyExists } from '../api/errors.ts'
import type { KubeObject, ResourceType } from '../api/object.ts'
import type { Client } from '../api/resource.ts'
import type { Cache } from '../cache/cache.ts'
import { NotLeading } from '../lease/fence.ts'
import type { Log } from '../observe/log.ts'
import type { World } from '../world.ts'
import { Backlog } from './backlog.ts'
import { Lanes } from './lanes.ts'
import { Ledger } from './ledger.ts'
import { LivePods, type Live } from './live-pods.ts'
import { Removals } from './removals.ts'
import type { Judgement, Progress, Task, Unit } from './task.ts'

const MAX_WRITES_AT_ONCE = 64 // more only queue in the API server: a bare loop is no faster with 128
const SWEEP_MS = 2_000 // for what no event tells: deadlines, delays that are over, pods that were never seen
const UNSEEN_MS = 30_000 // a created pod that no watch has shown for this long may have come and gone between two lists
const RETRY_MS = 2_000

export type FanOutOptions = Readonly<{
  task: Task
  podType: ResourceType
  /** Fenced, and not gated: a fan-out knows its own writes. */
  client: Pick<Client, 'get' | 'submit' | 'remove'>
  cache: Pick<Cache, 'of' | 'onChange'>
  world: World
  log: Log
  /** How many pods may work at once. */
  window: number
  /** Called when it becomes known why nothing can start, and when all is done. Of recorded rows the place tells where they are kept. */
  advanced(): void
}>

/** Drives the pods of one task through a window: refilled with each pod that ends, two writes a unit beside the records. */
export class FanOut {
  readonly #options: FanOutOptions
  readonly #live: LivePods
  readonly #removals = new Removals()
  readonly #writes = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  readonly #ledger: Ledger
  readonly #backlog: Backlog
  readonly #lanes: Lanes
  #unsubscribe: (() => void) | undefined
  #window: number
  #isReady = false
  #blocked: string | undefined

  constructor(options: FanOutOptions) {
    this.#options = options
    this.#window = options.window
    const { task, world, log } = options
    this.#live = new LivePods(task.admission)
    this.#lanes = new Lanes(task.admission)
    this.#ledger = new Ledger({ task, world, log, signal: this.#stop.signal, recorded: (judgement, name) => this.#recorded(judgement, name), flushed: () => this.#flushed() })
    const isKnown = (ordinal: number): boolean => this.#ledger.last(ordinal) !== undefined || this.#live.has({ ordinal, attempt: 1 })
    this.#backlog = new Backlog(task, isKnown, (ordinal) => this.#ledger.isRecorded(ordinal))
  }

  /** Takes up what an earlier process left: rows, pods, and tries of which only the store knows. Never rejects. */
  async start(present: readonly (readonly [Unit, KubeObject])[]): Promise<void> {
    const { cache, podType, task, world } = this.#options
    for (const [unit, { metadata: { name } }] of present) {
      if (this.#ledger.hasRow(unit)) this.#removals.add(name)
      else this.#live.add(unit, name, world.monotonicMs())
    }
    this.#unsubscribe = cache.onChange(podType, (before, after, origin) => {
      if (origin === 'Watch' || before !== undefined) this.#changed(before, after)
    })
    this.#sweep()
    await this.#ledger.catchUp((unit) => this.#live.has(unit))
    for (const row of task.recorded) {
      if (!row.final && this.#ledger.last(row.ordinal) === row && !this.#live.has(row)) this.#backlog.retry({ ordinal: row.ordinal, attempt: row.attempt + 1 }, 0)
    }
    this.#isReady = true
    this.#pump()
    void this.#sweepRegularly()
  }

  /** Takes effect at once; what runs goes on. */
  resize(window: number): void {
    this.#window = window
    this.#pump()
  }

  progress(): Progress {
    const { total } = this.#options.task
    const { settled, lost, acknowledged } = this.#ledger.counts()
    const { closed } = this.#lanes
    const isDone = acknowledged >= total && this.#removals.isEmpty && this.#live.size === 0 && this.#writes.size === 0
    return { total, settled, running: this.#live.running, lost, isDone, ...(this.#blocked === undefined ? {} : { blocked: this.#blocked }), ...(closed.length === 0 ? {} : { closedLanes: closed }) }
  }

  /** Starts and records nothing more; resolves when the last write is answered. Pods go on. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('the fan-out was stopped'))
    this.#unsubscribe?.()
    await Promise.all(this.#writes)
    for (const live of this.#live.allAwaited()) this.#live.end(live)
  }

  #changed(before: KubeObject | undefined, after: KubeObject | undefined): void {
    const { task } = this.#options
    const pod = after ?? before
    const live = pod?.metadata.namespace === task.namespace ? this.#live.awaited(pod.metadata.name) : undefined
    if (pod === undefined || live === undefined) return
    task.admission?.see(live.unit, pod)
    const judgement = task.judge(live.unit, pod)
    if (judgement) this.#end(live, judgement)
    else if (after === undefined) this.#vanish(live)
    else this.#pump() // what it has come to may have opened a lane
  }

  #end(live: Live, judgement: Judgement): void {
    this.#live.end(live)
    this.#ledger.add(judgement, live.name)
    this.#pump()
  }

  #vanish(live: Live): void {
    this.#live.end(live)
    void this.#ledger.addVanished(live.unit, live.name)
    this.#pump()
  }

  #recorded({ row, retryAfterMs = 0 }: Judgement, name: string | undefined): void {
    if (name !== undefined) {
      this.#live.forget(name)
      this.#removals.add(name)
    }
    if (row.final) this.#backlog.settled(row.ordinal)
    else this.#backlog.retry({ ordinal: row.ordinal, attempt: row.attempt + 1 }, this.#options.world.monotonicMs() + retryAfterMs)
  }

  #flushed(): void {
    this.#pump()
    if (this.progress().isDone) this.#options.advanced() // the last rows were of pods that were gone before
  }

  #pump(): void {
    while (this.#isReady && this.#writes.size < MAX_WRITES_AT_ONCE && !this.#stop.signal.aborted) {
      const unit = this.#live.running < this.#window ? this.#toStart() : undefined
      const name = unit === undefined ? this.#removals.take() : undefined
      if (unit !== undefined) this.#begin(this.#create(unit))
      else if (name !== undefined) this.#begin(this.#remove(name))
      else return
    }
  }

  /** The next try that gets a pod now; what comes before it and gets none is settled on the way. */
  #toStart(): Unit | undefined {
    const { task, world } = this.#options
    const admitted = this.#lanes.take()
    if (admitted !== undefined) return admitted
    for (;;) {
      const unit = this.#backlog.take(world.monotonicMs())
      const judgement = unit === undefined ? undefined : task.judgeUntried?.(unit)
      if (judgement !== undefined) this.#ledger.add(judgement)
      else if (unit === undefined || this.#lanes.admits(unit)) return unit
    }
  }

  #begin(write: Promise<void>): void {
    const done = write.then(() => {
      this.#writes.delete(done)
      this.#pump()
      if (this.progress().isDone) this.#options.advanced()
    })
    this.#writes.add(done)
  }

  async #create(unit: Unit): Promise<void> {
    const { task, client, podType, world, cache } = this.#options
    const pod = task.podOf(unit)
    const live = this.#live.add(unit, pod.metadata.name, world.monotonicMs()) // before the call: the watch may be faster than the answer
    try {
      await client.submit(podType, pod)
      this.#blocked = undefined
    } catch (error) {
      const present = cache.of(podType).get(pod.metadata)
      if (isAlreadyExists(error)) return present === undefined ? undefined : this.#changed(undefined, present)
      if (live.isOver) return // it was created after all, and has ended
      this.#live.end(live)
      this.#live.forget(live.name)
      this.#backlog.retry(unit, world.monotonicMs() + RETRY_MS)
      this.#block(error)
    }
  }

  #block(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    if (error instanceof NotLeading || this.#blocked === reason) return
    this.#blocked = reason
    this.#options.log.warn({ err: error, task: this.#options.task.name }, 'a pod could not be created; trying again')
    this.#options.advanced()
  }

  async #remove(name: string): Promise<void> {
    const { task: { namespace }, client, podType, world } = this.#options
    const isGone = await client.remove(podType, { namespace, name }).then(() => true, () => false)
    this.#removals.over()
    if (isGone) return
    this.#pump() // those behind it need not wait
    await world.sleep(RETRY_MS, this.#stop.signal).catch(() => undefined) // stopped: the next process removes it
    this.#removals.add(name)
  }

  async #sweepRegularly(): Promise<void> {
    const { world } = this.#options
    while (!this.#stop.signal.aborted) {
      await world.sleep(SWEEP_MS, this.#stop.signal).catch(() => undefined)
      if (!this.#stop.signal.aborted) this.#sweep()
    }
  }

  #sweep(): void {
    const { cache, podType, task: { namespace }, world } = this.#options
    const pods = cache.of(podType)
    for (const live of this.#live.allAwaited()) {
      const pod = pods.get({ namespace, name: live.name })
      if (pod !== undefined) this.#changed(undefined, pod)
      else if (world.monotonicMs() - live.sinceMs > UNSEEN_MS) void this.#lookFor(live)
    }
    this.#pump()
  }

  /** The cache may lag, and two pods of one unit must never be: so the API server is asked. */
  async #lookFor(live: Live): Promise<void> {
    const { client, podType, task: { namespace }, world } = this.#options
    live.sinceMs = world.monotonicMs()
    const isGone = await client.get(podType, { namespace, name: live.name }).then((pod) => pod === undefined, () => false)
    if (isGone && !live.isOver && !this.#stop.signal.aborted) this.#vanish(live)
  }
}
