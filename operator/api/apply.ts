import { stableHash } from '../meta/hash.ts'
import type { World } from '../world.ts'
import { kindKey, keyOf, type KubeObject } from './object.ts'

const REMEMBER_MS = 30 * 60_000 // as cluster-api: an upgraded server may default the same intent differently
const MAX_REMEMBERED = 20_000 // some 3 MB; beyond the objects of one operator, this only guards its memory

/** What a server-side apply of the main resource says: everything we want and nothing the server owns. */
export function toIntent(object: KubeObject): KubeObject {
  const { name, namespace, uid, labels, annotations, finalizers, ownerReferences } = object.metadata
  const metadata = { name, namespace, uid, labels, annotations, finalizers, ownerReferences }
  return { ...object, metadata: withoutUndefined(metadata), ...('status' in object ? { status: undefined } : {}) }
}

/** What a server-side apply of `/status` says. Its resourceVersion, if given, makes a stale writer fail. */
export function toStatusIntent(object: KubeObject): KubeObject {
  const { apiVersion, kind } = object
  const { name, namespace, resourceVersion } = object.metadata
  const status = 'status' in object ? object.status : undefined
  const intent = { apiVersion, kind, metadata: withoutUndefined({ name, namespace, resourceVersion }), status }
  return intent
}

function withoutUndefined<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> }
}

/** Remembers which intents are known to change nothing about which exact state, so that they need not be sent again. */
export class AppliedIntents {
  readonly #world: World
  readonly #untilMs = new Map<string, number>()

  constructor(world: World) {
    this.#world = world
  }

  /** Whether this intent was applied with this very state as the result. */
  has(intentHash: string, live: KubeObject): boolean {
    const untilMs = this.#untilMs.get(stateKey(intentHash, live))
    return untilMs !== undefined && this.#world.monotonicMs() < untilMs
  }

  /** `result` is what the server answered to the intent. */
  add(intentHash: string, result: KubeObject): void {
    const now = this.#world.monotonicMs()
    for (const [key, untilMs] of this.#untilMs) {
      if (now < untilMs && this.#untilMs.size < MAX_REMEMBERED) break // oldest first
      this.#untilMs.delete(key)
    }
    this.#untilMs.set(stateKey(intentHash, result), now + REMEMBER_MS)
  }
}

/** `manager` also tells the main resource and the status apart. */
export function hashIntent(intent: KubeObject, manager: string): string {
  return stableHash([manager, intent])
}

function stateKey(intentHash: string, object: KubeObject): string {
  return `${kindKey(object)} ${keyOf(object.metadata)} ${object.metadata.resourceVersion ?? ''} ${intentHash}`
}
