import { Terminal } from '../api/errors.ts'
import type { KubeObject, ObjectKey, ResourceType } from '../api/object.ts'
import type { Cache } from '../cache/cache.ts'
import type { Log } from '../observe/log.ts'
import type { World } from '../world.ts'
import type { Plan } from './plan.ts'

/** A rule of a ClusterRole, as the controller's own code needs it. */
export type RbacRule = Readonly<{
  apiGroups: readonly string[]
  resources: readonly string[]
  verbs: readonly string[]
  resourceNames?: readonly string[]
}>

/** What an observation may use. `signal` ends after 30 s, and when the process stops. */
export type ReconcileContext = Readonly<{ cache: Cache; world: World; signal: AbortSignal; log: Log }>

/** A kind that is neither ours nor owned, but whose changes concern some of our objects. */
export type Watched = Readonly<{
  type: ResourceType
  /** Applies where nobody else caches the kind; see `kinds` of the manager's options. */
  labelSelector?: string
  /** Our objects that a change of this one concerns. Must only compute, and look things up in the cache. */
  keys(object: KubeObject, cache: Pick<Cache, 'of'>): readonly ObjectKey[]
}>

/** How one kind is reconciled: `observe` reads, `plan` decides, the runtime writes. */
export type ControllerDefinition<T extends KubeObject, Seen> = Readonly<{
  /** In metrics, logs and events. */
  name: string
  type: ResourceType<T>
  /** Throws where the object is not what its schema promises: nothing is done until it changes. */
  parse(raw: KubeObject): T
  /** Kinds of the children; a change of a child wakes its controller owner. */
  owns: readonly ResourceType[]
  watches?: readonly Watched[]
  /** The only place that reads. */
  observe(object: T, context: ReconcileContext): Promise<Seen>
  /** Pure: the same observation gives the same plan. */
  plan(seen: Seen, world: World): Plan
  /** The object is gone; only `remove` and `release` make sense now. */
  absent?(key: ObjectKey, context: ReconcileContext): Promise<Plan>
  permissions: readonly RbacRule[]
}>

/** A controller with its types closed over, as the runtime runs it. */
export type Controller = Readonly<{
  name: string
  type: ResourceType
  owns: readonly ResourceType[]
  watches: readonly Watched[]
  permissions: readonly RbacRule[]
  /** Parses, observes and plans; writes nothing. Rejects with Terminal if the object cannot be parsed. */
  look(raw: KubeObject, context: ReconcileContext): Promise<Plan>
  lookAbsent(key: ObjectKey, context: ReconcileContext): Promise<Plan>
}>

const NOTHING: Plan = { writes: [], events: [] }

export function defineController<T extends KubeObject, Seen>(definition: ControllerDefinition<T, Seen>): Controller {
  const { name, type, owns, watches = [], permissions } = definition
  return {
    name,
    type,
    owns,
    watches,
    permissions,
    look: async (raw, context) => definition.plan(await definition.observe(parse(definition, raw), context), context.world),
    lookAbsent: async (key, context) => definition.absent?.(key, context) ?? NOTHING,
  }
}

function parse<T extends KubeObject, Seen>(definition: ControllerDefinition<T, Seen>, raw: KubeObject): T {
  try {
    return definition.parse(raw)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Terminal('InvalidObject', `the ${raw.kind} is not what its schema promises: ${reason}`, { cause })
  }
}
