// What of the reflector's conformance suite a real API server can be made to do.
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { connect, type Connection } from '../../operator/api/kubeconfig.ts'
import { resourceType, type KubeObject } from '../../operator/api/object.ts'
import { createClient, type Client } from '../../operator/api/resource.ts'
import { createTransport, type RequestOutcome, type Transport } from '../../operator/api/transport.ts'
import { createCache, type Cache, type CacheEvent, type Reader } from '../../operator/cache/cache.ts'
import { ConsistencyGate } from '../../operator/cache/gate.ts'
import { ConfigMap } from '../../operator/testing/cached-config-maps.ts'
import { realWorld } from '../../operator/world.ts'
import { waitUntil } from '../cluster/exec.ts'
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts'

const Namespace = resourceType({ apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', scope: 'Cluster' })
const Secret = resourceType({ apiVersion: 'v1', kind: 'Secret', plural: 'secrets', scope: 'Namespaced' })
const Role = resourceType({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', plural: 'roles', scope: 'Namespaced' })
const RoleBinding = resourceType({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', plural: 'rolebindings', scope: 'Namespaced' })
const WAIT_MS = 60_000

let plane: ControlPlane
let connection: Connection
let transport: Transport
let client: Client
let namespace: string
let namespaces = 0

beforeAll(async () => {
  plane = await startControlPlane({ name: 'reflector' })
  connection = await connect({ world: realWorld, env: {}, kubeconfig: plane.kubeconfigPath })
  transport = createTransport({ connection, world: realWorld })
  client = createClient(transport, { world: realWorld })
})
afterAll(async () => {
  await transport.close()
  await plane.stop()
})
beforeEach(async () => {
  namespace = `n${(namespaces += 1)}`
  await client.create(Namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
})

function aConfigMap(name: string, data: Record<string, string> = {}): KubeObject & { data: object } {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data }
}

type Followed = Readonly<{
  cache: Cache
  reader: Reader<KubeObject>
  gate: ConsistencyGate
  writer: Client
  notices: string[]
  outcomes: RequestOutcome[]
  events: CacheEvent[]
  /** Closes the open watch and opens no other until told to. */
  disconnect(): () => void
  stop(): Promise<void>
}>

/** A cache of the ConfigMaps of the test's namespace, whose server ends each watch after `watchSeconds`. */
function follow(options: Readonly<{ watchSeconds?: number; as?: Connection }> = {}): Followed {
  const outcomes: RequestOutcome[] = []
  const own = createTransport({ connection: options.as ?? connection, world: realWorld, observe: (outcome) => outcomes.push(outcome) })
  const gate = new ConsistencyGate(realWorld)
  const writer = createClient(own, { world: realWorld, onWrite: gate.wrote })
  let line = new AbortController()
  let connected = Promise.resolve()
  const reading: Client = {
    ...writer,
    watch: async function* (type, watchOptions, signal) {
      await connected
      const timeoutSeconds = options.watchSeconds ?? watchOptions.timeoutSeconds
      yield* writer.watch(type, { ...watchOptions, timeoutSeconds }, AbortSignal.any([signal, line.signal]))
    },
  }
  const events: CacheEvent[] = []
  const notices: string[] = []
  const cache = createCache({ client: reading, world: realWorld, gate, freeze: 'Deep', kinds: [{ type: ConfigMap, namespace }], report: (event) => events.push(event) })
  cache.onChange(ConfigMap, (before, after) => {
    const { name } = (after ?? before)?.metadata ?? { name: '' }
    if (name !== 'kube-root-ca.crt') notices.push(`${before && after ? '~' : after ? '+' : '-'}${name}`)
  })
  cache.start()
  const disconnect = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    connected = promise
    line.abort(new Error('the test pulled the plug'))
    return () => {
      line = new AbortController()
      resolve()
    }
  }
  const stop = async (): Promise<void> => {
    await cache.stop()
    await own.close()
  }
  return { cache, reader: cache.of(ConfigMap), gate, writer, notices, outcomes, events, disconnect, stop }
}

const until = (what: string, condition: () => boolean): Promise<unknown> => waitUntil(what, WAIT_MS, async () => condition())
const count = (followed: Followed, verb: RequestOutcome['verb']): number => followed.outcomes.filter((outcome) => outcome.verb === verb).length

describe('a cache on a real API server', () => {
  it('loses and repeats nothing when the server ends the watch cleanly in the middle of a burst, again and again', async () => {
    const followed = follow({ watchSeconds: 1 })
    await followed.cache.waitForSync()
    const created: string[] = []
    const endMs = performance.now() + 8_000
    while (performance.now() < endMs) {
      created.push(`+c${created.length}`)
      await client.create(ConfigMap, aConfigMap(`c${created.length - 1}`))
    }
    await until('all are seen', () => followed.notices.length >= created.length)
    expect(followed.notices).toEqual(created)
    expect(followed.events.filter(({ name }) => name === 'WatchClosed').length).toBeGreaterThan(3)
    expect(followed.events.filter(({ name }) => name === 'WatchFailed')).toEqual([])
    expect(count(followed, 'list')).toBe(1)
    await followed.stop()
  })

  it('sees an object deleted and made again while it was away as deleted and added', async () => {
    await client.create(ConfigMap, aConfigMap('phoenix'))
    const followed = follow()
    await until('the watch is open', () => followed.events.some(({ name }) => name === 'WatchOpened'))
    const reconnect = followed.disconnect()
    await client.remove(ConfigMap, { namespace, name: 'phoenix' })
    const { uid } = (await client.create(ConfigMap, aConfigMap('phoenix'))).metadata
    reconnect()
    await until('the new one is seen', () => followed.reader.get({ namespace, name: 'phoenix' })?.metadata.uid === uid)
    expect(followed.notices).toEqual(['+phoenix', '-phoenix', '+phoenix'])
    expect(count(followed, 'list')).toBe(1)
    await followed.stop()
  })

  it('lists anew when its version is too old for a restarted server, and then knows all that happened', async () => {
    for (const name of ['stays', 'goes', 'phoenix']) await client.create(ConfigMap, aConfigMap(name))
    const followed = follow()
    await until('the watch is open', () => followed.events.some(({ name }) => name === 'WatchOpened'))
    const reconnect = followed.disconnect()
    for (const name of ['goes', 'phoenix']) await client.remove(ConfigMap, { namespace, name })
    await client.create(ConfigMap, aConfigMap('phoenix'))
    await client.create(Secret, { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name: 'moves-the-version-on' } })
    await plane.restartApiServer()
    reconnect()
    await until('what went is gone', () => followed.reader.get({ namespace, name: 'goes' }) === undefined)
    expect(followed.notices.slice(3).sort()).toEqual(['+phoenix', '-goes', '-phoenix'])
    expect(followed.notices.indexOf('-phoenix')).toBeLessThan(followed.notices.lastIndexOf('+phoenix'))
    expect(followed.events).toContainEqual(expect.objectContaining({ name: 'WatchFailed', error: expect.objectContaining({ code: 410 }) }))
    await followed.stop()
  })

  it('goes on when the server was killed and comes back', async () => {
    const followed = follow()
    await client.create(ConfigMap, aConfigMap('before'))
    await until('the first is seen', () => followed.notices.length === 1)
    await plane.killApiServer()
    await delay(2_000)
    await plane.startApiServer()
    await client.create(ConfigMap, aConfigMap('after'))
    await until('the second is seen', () => followed.notices.length === 2)
    expect(followed.notices).toEqual(['+before', '+after'])
    expect(followed.cache.staleSeconds()).toBeLessThan(60)
    await followed.stop()
  })

  it('starts as soon as it is granted the right to', async () => {
    const user = await plane.user({ commonName: 'reader' })
    const as = await connect({ world: realWorld, env: {}, kubeconfig: user.kubeconfigPath })
    await client.create(ConfigMap, aConfigMap('a'))
    const followed = follow({ as })
    await until('it was refused', () => followed.events.some(({ name }) => name === 'ListFailed'))
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { namespace, name: 'reader' } }
    const apiGroup = 'rbac.authorization.k8s.io'
    const role = { ...rbac, kind: 'Role', rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'watch'] }] }
    const subjects = [{ apiGroup, kind: 'User', name: 'reader' }]
    const binding = { ...rbac, kind: 'RoleBinding', roleRef: { apiGroup, kind: 'Role', name: 'reader' }, subjects }
    await client.create(Role, role)
    await client.create(RoleBinding, binding)
    await until('it is seen', () => followed.notices.length === 1)
    expect(followed.events[0]).toMatchObject({ name: 'ListFailed', error: { code: 403 } })
    await followed.stop()
  })

  it('puts the newest state together from pages, and shows what was written before it asked', async () => {
    const followed = follow()
    await until('the watch is open', () => followed.events.some(({ name }) => name === 'WatchOpened'))
    const names = Array.from({ length: 1_100 }, (_, i) => `c${i}`)
    const reconnect = followed.disconnect()
    for (let i = 0; i < names.length; i += 50) await Promise.all(names.slice(i, i + 50).map((name) => client.create(ConfigMap, aConfigMap(name))))
    const listsBefore = count(followed, 'list')
    const demanded = followed.cache.relist()
    reconnect()
    await demanded
    expect(followed.reader.list().filter(({ metadata }) => names.includes(metadata.name))).toHaveLength(names.length)
    expect(count(followed, 'list') - listsBefore).toBe(3)
    await followed.stop()
  })
})

describe('reading what one wrote', () => {
  it('is never refused by the gate for long, and never shows anything older', async () => {
    const followed = follow()
    await followed.cache.waitForSync()
    const { writer, gate, reader } = followed
    for (let i = 0; i < 30; i += 1) {
      const { uid } = (await writer.create(ConfigMap, aConfigMap('mine'))).metadata
      expect(await gate.ready([ConfigMap])).toBe(true)
      expect(reader.get({ namespace, name: 'mine' })?.metadata.uid).toBe(uid)
      await writer.apply(ConfigMap, aConfigMap('mine', { round: String(i) }), { fieldManager: 'test' })
      expect(await gate.ready([ConfigMap])).toBe(true)
      expect(reader.get({ namespace, name: 'mine' })).toMatchObject({ data: { round: String(i) } })
      await writer.remove(ConfigMap, { namespace, name: 'mine' }, uid ? { uid } : {})
      expect(await gate.ready([ConfigMap])).toBe(true)
      const seen = reader.get({ namespace, name: 'mine' })
      expect(seen === undefined || seen.metadata.deletionTimestamp !== undefined).toBe(true)
    }
    await followed.stop()
  })
})
