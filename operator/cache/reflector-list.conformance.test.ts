import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheConfigMapsOf, type CachedConfigMaps } from '../testing/cached-config-maps.ts'
import { ScriptedApiServer } from '../testing/scripted-api-server.ts'

let server: ScriptedApiServer
let cached: CachedConfigMaps | undefined

beforeEach(async () => {
  server = await ScriptedApiServer.start()
})
afterEach(async () => {
  await cached?.stop()
  await server.close()
})

describe('the first list', () => {
  it('asks for any state the server has at hand, and is tried again after a 500', async () => {
    server.put('a')
    server.nextLists(({ refuse }) => refuse(500, 'InternalError'))
    cached = cacheConfigMapsOf(server)
    await cached.synced()
    expect(cached.names()).toEqual(['a'])
    expect(server.seen('list').map(({ query }) => query.get('resourceVersion'))).toEqual(['0', '0'])
    expect(cached.events[0]).toMatchObject({ name: 'ListFailed', againSeconds: 0.8 })
  })

  it('backs off further with each failure, up to half a minute', async () => {
    server.nextLists(...Array.from({ length: 7 }, () => ({ refuse }: { refuse: (code: number, reason: string) => void }) => refuse(500, 'InternalError')))
    cached = cacheConfigMapsOf(server)
    await cached.synced()
    const waits = cached.events.flatMap((event) => (event.name === 'ListFailed' ? [event.againSeconds] : []))
    expect(waits).toEqual([0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30])
  })

  it('waits as long as a 429 asks for', async () => {
    server.nextLists(({ refuse }) => refuse(429, 'TooManyRequests', { retryAfterSeconds: 7 }))
    cached = cacheConfigMapsOf(server)
    await cached.synced()
    const [first, second] = server.seen('list').map(({ atMs }) => atMs)
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(69)
  })

  it('is given up after a minute without an answer, and tried again', async () => {
    server.put('a')
    server.nextLists(() => {})
    cached = cacheConfigMapsOf(server, { factor: 200 })
    await cached.synced()
    expect(cached.names()).toEqual(['a'])
    expect(cached.events[0]).toMatchObject({ name: 'ListFailed', error: { fault: 'DEADLINE' } })
  })

  it('shows nothing of an answer that breaks off in the middle', async () => {
    server.put('a')
    server.nextLists(async ({ send, reset }) => {
      send('{"kind":"ConfigMapList","metadata":{"resourceVersion":"101"},"items":[{"metadata":{"name":"half","namespace":"default","uid":"1","resourceVersion":"3"}}')
      await new Promise((resolve) => setTimeout(resolve, 20))
      reset()
    })
    cached = cacheConfigMapsOf(server)
    await cached.synced()
    expect(cached.notices).toEqual(['+a'])
    expect(cached.events[0]).toMatchObject({ name: 'ListFailed', error: { fault: 'CONNECTION_LOST' } })
  })

  it('shows nothing of an answer that ends cleanly in the middle', async () => {
    server.nextLists(({ send, end }) => {
      send('{"kind":"ConfigMapList","metadata":{"resourceVersion":"101"},"items":[{"metadata":{"name":"half"')
      end()
    })
    cached = cacheConfigMapsOf(server)
    await cached.synced()
    expect(cached.names()).toEqual([])
    expect(cached.events[0]).toMatchObject({ name: 'ListFailed', error: { fault: 'TRUNCATED' } })
  })
})

describe('a list after the first', () => {
  async function synced(): Promise<CachedConfigMaps> {
    cached = cacheConfigMapsOf(server)
    await cached.synced()
    await cached.until(() => server.seen('watch').length === 1)
    return cached
  }

  it('asks for a state not older than the last one seen, and shows what went as deleted', async () => {
    server.put('a')
    server.put('b')
    server.nextWatches(({ refuse }) => refuse(410, 'Expired'))
    const { until, notices } = await synced()
    server.remove('a')
    await until(() => notices.includes('-a'))
    const again = server.seen('list')[1]
    expect([again?.query.get('resourceVersion'), again?.query.get('resourceVersionMatch')]).toEqual(['102', 'NotOlderThan'])
    expect(cached?.names()).toEqual(['b'])
  })

  it('asks for the newest state when the last one seen is gone', async () => {
    server.nextLists(({ passOn }) => passOn(), ({ refuse }) => refuse(410, 'Expired'))
    server.nextWatches(({ refuse }) => refuse(410, 'Expired'))
    const { until } = await synced()
    await until(() => server.seen('watch').length === 2)
    expect(server.seen('list').map(({ query }) => query.get('resourceVersion'))).toEqual(['0', '100', null])
  })

  it('asks for the newest state when the server has not reached the last one seen', async () => {
    server.put('a')
    server.nextWatches(({ refuse }) => refuse(410, 'Expired'))
    server.nextLists(({ passOn }) => passOn(), ({ refuse }) => refuse(504, 'Timeout', { cause: 'ResourceVersionTooLarge', retryAfterSeconds: 1 }))
    const { until } = await synced()
    await until(() => server.seen('watch').length === 2)
    expect(server.seen('list').map(({ query }) => query.get('resourceVersion'))).toEqual(['0', '101', null])
  })

  it('on demand is of the newest state, and resolves only once such a list is in the store', async () => {
    const { cache, names } = await synced()
    server.nextWatches(() => {}) // the watch says nothing of it
    server.put('by-the-predecessor')
    await cache.relist()
    expect(names()).toEqual(['by-the-predecessor'])
    expect(server.seen('list').at(-1)?.query.has('resourceVersion')).toBe(false)
  })

  it('on demand follows a list that had begun before', async () => {
    let finish = (): void => {}
    server.nextLists(({ answer }) => {
      finish = () => answer(200, { kind: 'ConfigMapList', metadata: { resourceVersion: '100' }, items: [] })
    })
    cached = cacheConfigMapsOf(server)
    await cached.until(() => server.seen('list').length === 1)
    const demanded = cached.cache.relist()
    server.put('late')
    finish()
    await demanded
    expect(cached.names()).toEqual(['late'])
  })

  it('on demand does not wait for a back-off to end', async () => {
    server.nextLists(({ refuse }) => refuse(500, 'InternalError'))
    cached = cacheConfigMapsOf(server, { factor: 0.1 }) // 0.8 s become 8
    await cached.until(() => cached?.events.length === 1)
    await cached.cache.relist()
    expect(cached.cache.synced()).toBe(true)
  })
})

describe('a list in pages', () => {
  it('is put together from all of them', async () => {
    for (let i = 0; i < 1_200; i += 1) server.put(`c${i}`)
    server.nextLists(({ refuse }) => refuse(410, 'Expired')) // any state is not to be had, so the server pages
    cached = cacheConfigMapsOf(server)
    await cached.synced()
    expect(server.seen('list').map(({ query }) => query.get('continue'))).toEqual([null, null, '500', '1000'])
    expect(cached.names()).toHaveLength(1_200)
  })

  it('is begun anew when the state it pages through is gone', async () => {
    for (let i = 0; i < 600; i += 1) server.put(`c${i}`)
    server.nextLists(({ refuse }) => refuse(410, 'Expired'), ({ passOn }) => passOn(), ({ refuse }) => refuse(410, 'Expired'))
    cached = cacheConfigMapsOf(server)
    await cached.synced()
    expect(cached.names()).toHaveLength(600)
  })
})
