// What an operator is given, and what its parts share.
import type { Registry } from 'prom-client'
import type { Connection } from './api/kubeconfig.ts'
import type { ObjectKey } from './api/object.ts'
import type { Client } from './api/resource.ts'
import type { Call } from './api/transport.ts'
import type { Cache, CachedKind } from './cache/cache.ts'
import type { Controller } from './control/controller.ts'
import type { Log } from './observe/log.ts'
import type { World } from './world.ts'

/** What the parts of an operator share. Ready as soon as the manager exists; the cache is empty until it has started. */
export type Runtime = Readonly<{
  /** Its writes are refused while this process does not lead. */
  client: Client
  /** For the few writes that any replica may do: creating what must exist once, labelling its own pod. No pass waits until the cache shows them. */
  unfenced: Client
  /** Fenced, but no pass waits until the cache shows what it wrote: for fan-outs, which keep account of their own writes. */
  ungated: Client
  cache: Cache
  world: World
  log: Log
  metrics: Registry
  isLeading(): boolean
  /** Wakes a controller for one of its objects, after `afterMs`; without effect on a standby. Throws for an unknown controller. */
  enqueue(controller: string, key: ObjectKey, options?: Readonly<{ afterMs?: number }>): void
}>

/** Something that runs beside the controllers, such as an HTTPS endpoint. */
export type Service = Readonly<{
  name: string
  /** `Always`: on every replica, from when the caches are synced; `WhenLeading`: from when the workers start. */
  runs: 'Always' | 'WhenLeading'
  start(): Promise<void>
  /** Called once, also if the start failed; has a few seconds. */
  stop(): Promise<void>
}>

export type ManagerOptions = Readonly<{
  connection: Connection
  world: World
  log: Log
  /** Who this replica is. */
  pod: Readonly<{ name: string; uid: string; namespace: string }>
  /** The Lease in the pod's namespace. */
  leaseName: string
  /** In managedFields and, with `-status`, for statuses; also the reporting controller of events. */
  fieldManager: string
  controllers: readonly Controller[]
  /** How kinds are cached: selector, projection, indexes. Kinds of controllers that are absent here are cached whole. */
  kinds?: readonly CachedKind[]
  services?: (runtime: Runtime) => readonly Service[]
  /** Health, readiness and metrics. Port 0 takes a free one. */
  http: Readonly<{ host: string; port: number }>
  /** Called when everything but the workers runs; if it rejects, the process has to end so that another replica leads. */
  onLeading?: (runtime: Runtime) => Promise<void>
  /** Called before the election, and after the workers of a leader have stopped: this replica does not lead. */
  onStandby?: (runtime: Runtime) => Promise<void>
  /** Told of each answered call, to compare with the permissions declared. */
  recordCall?: (call: Call) => void
}>
