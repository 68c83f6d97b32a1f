import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheConfigMapsOf, ConfigMap, type CachedConfigMaps } from '../testing/cached-config-maps.ts'
import { ScriptedApiServer } from '../testing/scripted-api-server.ts'

let server: ScriptedApiServer
let cached: CachedConfigMaps

beforeEach(async () => {
  server = await ScriptedApiServer.start()
})
afterEach(async () => {
  await cached.stop()
  await server.close()
})

describe('a cache', () => {
  it('goes on when a handler throws, and counts it', async () => {
    cached = cacheConfigMapsOf(server)
    cached.cache.onChange(ConfigMap, () => {
      throw new Error('handler of the test')
    })
    const told: string[] = []
    cached.cache.onChange(ConfigMap, (_before, after) => told.push(after?.metadata.name ?? ''))
    await cached.synced()
    server.put('a')
    await cached.until(() => cached.notices.includes('+a'))
    expect(told).toEqual(['a'])
    expect(cached.events).toContainEqual(expect.objectContaining({ name: 'HandlerFailed' }))
  })

  it('goes on when what it reports to throws', async () => {
    server.nextLists(({ refuse }) => refuse(500, 'InternalError'))
    const broken = (): never => {
      throw new Error('metrics of the test')
    }
    cached = cacheConfigMapsOf(server, { report: broken })
    await cached.synced()
    server.put('a')
    await cached.until(() => cached.names().includes('a'))
  })

  it('runs one loop however often it is started', async () => {
    cached = cacheConfigMapsOf(server)
    cached.cache.start()
    await cached.synced()
    cached.cache.start()
    await cached.until(() => server.seen('watch').length > 0)
    expect(server.requests).toHaveLength(2)
  })

  it('can be started again after it was stopped', async () => {
    cached = cacheConfigMapsOf(server)
    await cached.synced()
    await cached.cache.stop()
    server.put('while-stopped')
    cached.cache.start()
    await cached.until(() => cached.names().includes('while-stopped'))
    expect(server.seen('list')).toHaveLength(1)
  })

  it('tells a late handler of all that is there', async () => {
    server.put('a')
    server.put('b')
    cached = cacheConfigMapsOf(server)
    await cached.synced()
    const told: string[] = []
    const end = cached.cache.onChange(ConfigMap, (before, after, origin) => told.push(`${before ? '~' : '+'}${after?.metadata.name ?? ''} ${origin}`))
    server.put('c')
    await cached.until(() => told.length === 3)
    end()
    server.put('d')
    await cached.until(() => cached.names().includes('d'))
    expect(told).toEqual(['+a List', '+b List', '+c Watch'])
  })

  it('fills a late index from all that is there and keeps it exact', async () => {
    server.put('a', { labels: { team: 'red' } })
    cached = cacheConfigMapsOf(server)
    await cached.synced()
    cached.cache.addIndex(ConfigMap, 'team', ({ metadata }) => [metadata.labels?.['team'] ?? ''])
    const red = (): string[] => cached.reader.by('team', 'red').map(({ metadata }) => metadata.name)
    expect(red()).toEqual(['a'])
    server.put('b', { labels: { team: 'red' } })
    server.put('a', { labels: { team: 'blue' } })
    await cached.until(() => cached.notices.includes('~a'))
    expect(red()).toEqual(['b'])
  })

  it('keeps no managedFields and no more than the projection wants', async () => {
    server.put('a', { data: { secret: 'large' }, metadata: { managedFields: [{ manager: 'kubectl' }] } })
    const project = ({ apiVersion, kind, metadata }: { apiVersion: string; kind: string; metadata: { name: string } }) => ({ apiVersion, kind, metadata })
    cached = cacheConfigMapsOf(server, { kind: { project } })
    await cached.synced()
    const kept = cached.reader.get({ namespace: 'default', name: 'a' })
    expect(Object.keys(kept ?? {})).toEqual(['apiVersion', 'kind', 'metadata'])
    expect(kept?.metadata).not.toHaveProperty('managedFields')
  })

  it('lets nobody write to what it holds, where it was told to freeze', async () => {
    server.put('a', { labels: { team: 'red' } })
    cached = cacheConfigMapsOf(server)
    await cached.synced()
    const kept = cached.reader.get({ namespace: 'default', name: 'a' })
    expect(() => Object.assign(kept?.metadata.labels ?? {}, { team: 'blue' })).toThrow(/read only/)
  })

  it('shows an object we deleted as terminating, until the watch shows it gone', async () => {
    server.put('a', { uid: 'uid-a' })
    cached = cacheConfigMapsOf(server)
    await cached.synced()
    cached.gate.wrote({ type: ConfigMap, deletedUid: 'uid-a' })
    expect(cached.reader.list()[0]?.metadata.deletionTimestamp).toMatch(/^2026-.*Z$/)
    await cached.until(() => server.seen('watch').length > 0)
    server.remove('a')
    await cached.until(() => cached.names().length === 0)
    server.put('a', { uid: 'uid-a' }) // impossible, but shows that nothing is remembered
    await cached.until(() => cached.names().length === 1)
    expect(cached.reader.list()[0]?.metadata.deletionTimestamp).toBeUndefined()
  })

  it('asks only for what its selectors say', async () => {
    cached = cacheConfigMapsOf(server, { kind: { namespace: 'n', labelSelector: 'a=b', fieldSelector: 'metadata.name=c' } })
    await cached.synced()
    await cached.until(() => server.seen('watch').length > 0)
    for (const { path, query } of server.requests) {
      expect([path, query.get('labelSelector'), query.get('fieldSelector')]).toEqual(['/api/v1/namespaces/n/configmaps', 'a=b', 'metadata.name=c'])
    }
  })

  it('names the kinds that could not be listed within two minutes', async () => {
    server.nextLists(...Array.from({ length: 200 }, () => ({ refuse }: { refuse: (code: number, reason: string) => void }) => refuse(403, 'Forbidden')))
    cached = cacheConfigMapsOf(server, { factor: 400 })
    await expect(cached.cache.waitForSync()).rejects.toThrow('not listed within 120 s: ConfigMap.v1.; may the operator list them?')
  })

  it('grows stale while nothing proves it current', async () => {
    server.nextWatches(() => {})
    cached = cacheConfigMapsOf(server, { factor: 1000 })
    await cached.synced()
    await cached.until(() => cached.cache.staleSeconds() > 100)
    await cached.until(() => cached.cache.staleSeconds() < 50) // the deaf watch was cut and the kind listed anew
  })
})

describe('stopping a cache', () => {
  const PROMPT_MS = 2_000

  async function stopsPromptly(): Promise<void> {
    const began = performance.now()
    await cached.cache.stop()
    expect(performance.now() - began).toBeLessThan(PROMPT_MS)
    const asked = server.requests.length
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(server.requests).toHaveLength(asked)
  }

  it('does not wait for a list', async () => {
    server.nextLists(() => {})
    cached = cacheConfigMapsOf(server, { factor: 1 })
    await cached.until(() => server.seen('list').length === 1)
    await stopsPromptly()
  })

  it('does not wait for a back-off', async () => {
    server.nextLists(({ refuse }) => refuse(500, 'InternalError'))
    cached = cacheConfigMapsOf(server, { factor: 0.01 })
    await cached.until(() => cached.events.length === 1)
    await stopsPromptly()
  })

  it('does not wait for a watch', async () => {
    cached = cacheConfigMapsOf(server, { factor: 1 })
    await cached.until(() => server.seen('watch').length === 1)
    await stopsPromptly()
  })

  it('ends the wait for a list that was demanded', async () => {
    server.nextLists(() => {})
    cached = cacheConfigMapsOf(server, { factor: 1 })
    const demanded = expect(cached.cache.relist()).rejects.toThrow('the cache was stopped')
    await cached.cache.stop()
    await demanded
  })
})
