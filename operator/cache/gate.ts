import { kindKey, type ResourceType } from '../api/object.ts'
import type { Written } from '../api/answer.ts'
import type { World } from '../world.ts'
import { areComparable, isOlder } from './resource-version.ts'

const WAIT_MS = 2_000 // a watch event follows its write within milliseconds; a longer wait only holds a worker
const GIVE_UP_MS = 60_000 // no news at all for this long: acting on old state, with fixed names, beats not acting
const FORGET_REMOVED_MS = 600_000 // far longer than any watch is behind; bounds the memory of uids never seen going

/** Objects we deleted, by uid, until the cache has seen them go. `time` is RFC 3339. */
export type Removals = ReadonlyMap<string, Readonly<{ time: string; atMs: number }>>

type Progress = {
  written?: string
  observed?: string
  behindSinceMs?: number
  removed: Map<string, Readonly<{ time: string; atMs: number }>>
}

/**
 * Read your own writes: knows, per kind, the newest state this process wrote and the newest that its cache has seen,
 * so that nobody plans on a cache older than our own writes. Kinds that are not tracked are always ready.
 */
export class ConsistencyGate {
  readonly #world: World
  readonly #gaveUp: (type: ResourceType) => void
  readonly #kinds = new Map<string, Progress>()
  readonly #waiting = new Set<() => void>()

  /** `gaveUp` is told of each kind whose writes were not observed within 60 s; they count as observed from then on. */
  constructor(world: World, gaveUp: (type: ResourceType) => void = () => {}) {
    this.#world = world
    this.#gaveUp = gaveUp
  }

  /** From now on writes of this kind are waited for; the cache calls it for each kind it holds. Returns a live view. */
  track(type: ResourceType): Removals {
    const kind = this.#kinds.get(kindKey(type)) ?? { removed: new Map() }
    this.#kinds.set(kindKey(type), kind)
    return kind.removed
  }

  /** A write of ours succeeded. Fits `ClientHooks.onWrite`; bound, so that it can be passed as it is. */
  readonly wrote = (written: Written): void => {
    const kind = this.#kinds.get(kindKey(written.type))
    if (!kind) return
    const atMs = this.#world.monotonicMs()
    if (written.deletedUid !== undefined) this.#remember(kind, written.deletedUid, atMs)
    const version = written.resourceVersion
    if (version === undefined || (kind.written !== undefined && !isOlder(kind.written, version))) return
    kind.written = version
    if (isBehind(kind)) kind.behindSinceMs ??= atMs
  }

  /** The cache has seen this version of the kind, in an object or a bookmark. */
  observed(type: ResourceType, resourceVersion: string): void {
    const kind = this.#kinds.get(kindKey(type))
    if (!kind || (kind.observed !== undefined && !isOlder(kind.observed, resourceVersion))) return
    kind.observed = resourceVersion
    if (isBehind(kind)) kind.behindSinceMs = this.#world.monotonicMs()
    else this.#caughtUp(kind)
  }

  /** The cache no longer holds the object. */
  gone(type: ResourceType, uid: string): void {
    this.#kinds.get(kindKey(type))?.removed.delete(uid)
  }

  /** The server's history was replaced, as by a restored backup: what we wrote before says nothing about it. */
  reset(type: ResourceType): void {
    const kind = this.#kinds.get(kindKey(type))
    if (!kind) return
    delete kind.written
    delete kind.observed
    this.#caughtUp(kind)
  }

  /** Waits at most 2 s until the cache has seen all our writes of these kinds; false: not yet, come back in 100 ms. */
  async ready(types: readonly ResourceType[], signal?: AbortSignal): Promise<boolean> {
    const deadlineMs = this.#world.monotonicMs() + WAIT_MS
    for (;;) {
      if (!types.some((type) => this.#mustWaitFor(type))) return true
      const leftMs = deadlineMs - this.#world.monotonicMs()
      if (leftMs <= 0) return false
      await this.#nextCatchUp(leftMs, signal)
    }
  }

  #mustWaitFor(type: ResourceType): boolean {
    const kind = this.#kinds.get(kindKey(type))
    if (!kind || !isBehind(kind)) return false
    const now = this.#world.monotonicMs()
    if (now - (kind.behindSinceMs ?? now) < GIVE_UP_MS) return true
    delete kind.written
    this.#caughtUp(kind)
    this.#gaveUp(type)
    return false
  }

  #caughtUp(kind: Progress): void {
    delete kind.behindSinceMs
    for (const wake of this.#waiting) wake()
  }

  async #nextCatchUp(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const awake = new AbortController()
    const wake = (): void => awake.abort()
    this.#waiting.add(wake)
    signal?.addEventListener('abort', wake)
    await this.#world.sleep(ms, awake.signal).catch(() => {}) // rejects only because it was woken
    signal?.removeEventListener('abort', wake)
    this.#waiting.delete(wake)
    signal?.throwIfAborted()
  }

  #remember(kind: Progress, uid: string, atMs: number): void {
    for (const [old, removal] of kind.removed) {
      if (atMs - removal.atMs < FORGET_REMOVED_MS) break // oldest first
      kind.removed.delete(old)
    }
    kind.removed.set(uid, { time: this.#world.now().toISOString().replace(/\.\d+Z$/, 'Z'), atMs })
  }
}

/** Opaque versions cannot be waited for: the gate stays open. */
function isBehind({ written, observed }: Progress): boolean {
  if (written === undefined) return false
  if (observed === undefined) return areComparable(written, written)
  return isOlder(observed, written)
}
