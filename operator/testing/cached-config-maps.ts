import { createClient } from '../api/resource.ts'
import { createTransport } from '../api/transport.ts'
import { resourceType, type KubeObject } from '../api/object.ts'
import { createCache, type Cache, type CachedKind, type CacheEvent, type Reader } from '../cache/cache.ts'
import { ConsistencyGate } from '../cache/gate.ts'
import type { World } from '../world.ts'
import { createFastWorld } from './fast-world.ts'
import type { ScriptedApiServer } from './scripted-api-server.ts'

export const ConfigMap = resourceType<KubeObject & Readonly<{ data?: Readonly<Record<string, string>> }>>({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  scope: 'Namespaced',
})

export type CachedConfigMaps = Readonly<{
  cache: Cache
  reader: Reader<KubeObject & Readonly<{ data?: Readonly<Record<string, string>> }>>
  gate: ConsistencyGate
  world: World
  events: CacheEvent[]
  /** Kinds whose own writes the gate no longer waits for. */
  gaveUp: string[]
  /** `+name`, `~name`, `-name` in the order in which handlers were told. */
  notices: string[]
  names(): string[]
  /** Waits in real time until the condition holds; fails after five seconds. */
  until(condition: () => boolean): Promise<void>
  /** Waits, in real time too, for the first list. */
  synced(): Promise<void>
  stop(): Promise<void>
}>

/** A started cache of the server's ConfigMaps, in a world `factor` times as fast. */
export function cacheConfigMapsOf(server: ScriptedApiServer, options: Readonly<{ factor?: number; kind?: Partial<CachedKind>; report?: (event: CacheEvent) => void }> = {}): CachedConfigMaps {
  const world = createFastWorld(options.factor ?? 100)
  const connection = { server: server.url, authorize: async () => {} }
  const transport = createTransport({ connection, world })
  const gaveUp: string[] = []
  const gate = new ConsistencyGate(world, ({ kind }) => gaveUp.push(kind))
  const client = createClient(transport, { world, onWrite: gate.wrote })
  const events: CacheEvent[] = []
  const { report = (event) => events.push(event) } = options
  const kinds = [{ type: ConfigMap, ...options.kind }]
  const cache = createCache({ client, world, gate, kinds, freeze: 'Deep', report })
  const notices: string[] = []
  cache.onChange(ConfigMap, (before, after) => {
    const sign = before && after ? '~' : after ? '+' : '-'
    notices.push(`${sign}${(after ?? before)?.metadata.name ?? ''}`)
  })
  cache.start()
  const reader = cache.of(ConfigMap)
  return {
    cache,
    reader,
    gate,
    world,
    events,
    gaveUp,
    notices,
    names: () => reader.list().map(({ metadata }) => metadata.name).sort(),
    until,
    synced: () => until(() => cache.synced()),
    stop: async () => {
      await cache.stop()
      await transport.close()
    },
  }
}

const PATIENCE_MS = 30_000
const POLL_MS = 2

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${PATIENCE_MS} ms: ${condition.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
