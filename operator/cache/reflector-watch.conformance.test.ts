import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheConfigMapsOf, ConfigMap, type CachedConfigMaps } from '../testing/cached-config-maps.ts'
import { ScriptedApiServer, status, type Script } from '../testing/scripted-api-server.ts'

let server: ScriptedApiServer
let cached: CachedConfigMaps

beforeEach(async () => {
  server = await ScriptedApiServer.start()
})
afterEach(async () => {
  await cached.stop()
  await server.close()
})

async function start(factor?: number): Promise<CachedConfigMaps> {
  cached = cacheConfigMapsOf(server, factor === undefined ? {} : { factor })
  await cached.synced()
  return cached
}

const watchedFrom = (): (string | null)[] => server.seen('watch').map(({ query }) => query.get('resourceVersion'))
const failures = (): unknown[] => cached.events.filter(({ name }) => name === 'WatchFailed')

describe('a watch', () => {
  it('starts where the list ended, with bookmarks and an end between five and ten minutes', async () => {
    server.put('a')
    const { until } = await start()
    await until(() => server.seen('watch').length > 0)
    const query = server.seen('watch')[0]?.query
    expect(Object.fromEntries(query ?? [])).toEqual({ resourceVersion: '101', timeoutSeconds: '300', watch: 'true', allowWatchBookmarks: 'true' })
  })

  it('loses what its kind cuts out before anything is parsed, as the list does', async () => {
    server.put('a', { data: { long: 'x' } })
    cached = cacheConfigMapsOf(server, { kind: { trim: (text) => Buffer.from(text.toString().replace('"long":"x"', '')) } })
    await cached.synced()
    server.put('b', { data: { long: 'x' } })
    await cached.until(() => cached.names().length === 2)
    expect(cached.reader.list().map(({ data }) => data)).toEqual([{}, {}])
  })

  it('that was forbidden works once the right is granted, without a new list', async () => {
    server.nextWatches(({ refuse }) => refuse(403, 'Forbidden'), ({ refuse }) => refuse(403, 'Forbidden'))
    const { until, names } = await start()
    server.put('a')
    await until(() => names().includes('a'))
    expect(server.seen('list')).toHaveLength(1)
  })

  it('from a version that the server says it has yet to reach leads to a list, not to the same question for ever', async () => {
    const ahead: Script = ({ refuse }) => refuse(504, 'Timeout', { cause: 'ResourceVersionTooLarge' })
    server.put('kept')
    server.put('lost')
    server.nextWatches(({ reset }) => {
      server.restore(50, 'kept')
      reset()
    }, ...Array.from({ length: 8 }, () => ahead))
    const { until, names } = await start(30)
    await until(() => names().length === 1)
    expect([names(), watchedFrom().slice(0, 2), server.seen('list').length > 1]).toEqual([['kept'], ['102', '102'], true])
  })

  it('that got a 429 waits as long as asked and does not list again', async () => {
    server.nextWatches(({ refuse }) => refuse(429, 'TooManyRequests', { retryAfterSeconds: 9 }))
    const { until } = await start()
    await until(() => server.seen('watch').length === 2)
    expect(cached.events).toContainEqual(expect.objectContaining({ name: 'WatchFailed', againSeconds: 9 }))
    expect(server.seen('list')).toHaveLength(1)
  })

  it('goes on where it was when the server is away for a while', async () => {
    const { until, names } = await start()
    await until(() => server.seen('watch').length === 1)
    await server.close()
    await until(() => failures().length >= 2)
    server.put('meanwhile')
    await server.open()
    await until(() => names().includes('meanwhile'))
    expect(server.seen('list')).toHaveLength(1)
    expect(watchedFrom().at(-1)).toBe('100')
  })

  it('goes on after the last event it got when the connection is reset', async () => {
    server.nextWatches(async ({ event, reset }) => {
      event('ADDED', server.put('before'))
      await new Promise((resolve) => setTimeout(resolve, 20))
      reset()
      server.put('after')
    })
    const { until, notices } = await start()
    await until(() => notices.includes('+after'))
    expect(notices).toEqual(['+before', '+after'])
    expect(watchedFrom()).toEqual(['100', '101'])
  })

  it('that carries nothing any more is cut after two and a half minutes and goes on', async () => {
    server.nextWatches(({ bookmark }) => {
      bookmark(100)
      server.put('unseen')
    })
    const { until, names } = await start(150)
    await until(() => names().includes('unseen'))
    expect(failures()).toMatchObject([{ error: { fault: 'SILENT' } }])
    expect(server.seen('list')).toHaveLength(1)
  })

  it('that outlives its end by five seconds is cut', async () => {
    server.nextWatches(async ({ bookmark, response }) => {
      while (!response.destroyed) {
        bookmark(100)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    })
    const { until } = await start(300)
    await until(() => server.seen('watch').length === 2)
    expect(failures()).toMatchObject([{ error: { fault: 'DEADLINE' } }])
  })

  it('that the server ends cleanly every second is resumed at once each time', async () => {
    const second: Script = async ({ event, end }) => {
      await new Promise((resolve) => setTimeout(resolve, 30))
      event('ADDED', server.put(`c${server.version}`))
      end()
    }
    server.nextWatches(second, second, second, second)
    const { until } = await start(1)
    await until(() => server.seen('watch').length === 5)
    const gaps = server.seen('watch').map(({ atMs }, i, all) => atMs - (all[i - 1]?.atMs ?? atMs))
    expect(Math.max(...gaps)).toBeLessThan(500) // a first back-off takes 800
    expect(failures()).toEqual([])
  })

  it('that the server ends within a second without an event counts as a failure', async () => {
    const refusal: Script = ({ send, end }) => {
      send('')
      end()
    }
    server.nextWatches(refusal, refusal, refusal)
    const { until } = await start(4)
    await until(() => server.seen('watch').length === 4)
    expect(failures()).toMatchObject([{ againSeconds: 0.8 }, { againSeconds: 1.6 }, { againSeconds: 3.2 }])
    expect(server.seen('list')).toHaveLength(1)
  })

  it('that the server ends cleanly in the middle of a burst loses and repeats nothing', async () => {
    const create = (count: number): void => {
      for (let i = 0; i < count; i += 1) server.put(`c${server.version + 1}`)
    }
    const burst = (count: number): Script => ({ passOn, end }) => {
      passOn()
      create(count)
      end()
      create(3) // while no watch is open
    }
    server.nextWatches(burst(7), burst(1), burst(300), burst(40))
    const { until, notices } = await start()
    await until(() => notices.length >= 360 && server.seen('watch').length === 5)
    expect(notices).toEqual(Array.from({ length: 360 }, (_, i) => `+c${101 + i}`))
    expect(failures()).toEqual([])
  })
})

describe('an error inside a watch', () => {
  const failing = (text: string): Script => async ({ event, send, end }) => {
    event('ADDED', server.put('first'))
    send(text)
    await new Promise((resolve) => setTimeout(resolve, 20))
    server.put('second')
    end()
  }

  it('that says the version is too old leads to a list from the last version seen', async () => {
    server.nextWatches(failing(`${JSON.stringify({ type: 'ERROR', object: status(410, 'Expired') })}\n`))
    const { until, notices } = await start()
    await until(() => notices.includes('+second'))
    expect(notices).toEqual(['+first', '+second'])
    expect(server.seen('list').map(({ query }) => query.get('resourceVersion'))).toEqual(['0', '101'])
  })

  it.each([
    ['of another kind', `${JSON.stringify({ type: 'ERROR', object: status(500, 'InternalError') })}\n`, { code: 500 }],
    ['without a Status', `${JSON.stringify({ type: 'ERROR', object: 'what?' })}\n`, { code: 500 }],
    ['of a type nobody knows', `${JSON.stringify({ type: 'TELEPORTED', object: { metadata: {} } })}\n`, { fault: 'MALFORMED' }],
    ['that is no JSON', '{"type":"ADD\u0000\n', { fault: 'MALFORMED' }],
    ['that is no event', '[]\n', { fault: 'MALFORMED' }],
    ['without a version', `${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'x' } } })}\n`, { fault: 'MALFORMED' }],
    ['that breaks off at a clean end', '{"type":"ADDED","object":{"metada', { fault: 'TRUNCATED' }],
  ])('%s is waited out, and the watch goes on after the last good event', async (_name, text, error) => {
    server.nextWatches(failing(text))
    const { until, notices } = await start()
    await until(() => notices.includes('+second'))
    expect(notices).toEqual(['+first', '+second'])
    expect(failures()).toMatchObject([{ error, againSeconds: 0.8 }])
    expect(watchedFrom()).toEqual(['100', '101'])
    expect(server.seen('list')).toHaveLength(1)
  })
})

describe('what a watch carries', () => {
  it('may be a line of 20 MB', async () => {
    const { until, reader } = await start(10)
    await until(() => server.seen('watch').length === 1)
    server.put('large', { data: { text: 'x'.repeat(20 * 1024 * 1024) } })
    await until(() => reader.get({ namespace: 'default', name: 'large' }) !== undefined)
    expect(failures()).toEqual([])
  })

  it('may be bookmarks alone: they keep it fresh and move it on', async () => {
    server.nextWatches(async ({ bookmark, end }) => {
      for (const version of [150, 160, 170]) {
        await new Promise((resolve) => setTimeout(resolve, 100))
        bookmark(version)
      }
      end()
    })
    const { until, reader, notices } = await start(200)
    await until(() => server.seen('watch').length === 2)
    expect(watchedFrom()).toEqual(['100', '170'])
    expect(reader.staleSeconds()).toBeLessThan(60)
    expect(notices).toEqual([])
  })

  it('shows another object of the same name as a deletion and an addition, even between two connections', async () => {
    server.put('phoenix', { uid: 'old' })
    server.nextWatches(({ refuse }) => refuse(410, 'Expired'))
    const { until, notices, reader } = await start()
    server.put('phoenix', { uid: 'new' })
    await until(() => notices.length === 3)
    expect(notices).toEqual(['+phoenix', '-phoenix', '+phoenix'])
    expect(reader.get({ namespace: 'default', name: 'phoenix' })?.metadata.uid).toBe('new')
  })

  it('shows nothing twice when the server repeats itself', async () => {
    server.nextWatches(({ event }) => {
      const object = server.put('a')
      event('ADDED', object)
      event('ADDED', object)
      event('MODIFIED', server.put('a'))
    })
    const { until, notices } = await start()
    await until(() => notices.includes('~a'))
    expect(notices).toEqual(['+a', '~a'])
  })

  it('that goes backwards is not believed: all is listed anew, and counted', async () => {
    server.put('a')
    server.nextWatches(({ event }) => event('MODIFIED', { metadata: { name: 'a', namespace: 'default', uid: 'x', resourceVersion: '7' } }))
    const { until, names } = await start()
    await until(() => server.seen('watch').length === 2)
    expect(cached.events.map(({ name }) => name)).toContain('WentBackwards')
    expect(server.seen('list').at(-1)?.query.has('resourceVersion')).toBe(false)
    expect(names()).toEqual(['a'])
  })

  it('is followed into a restored backup', async () => {
    server.put('kept')
    server.put('lost')
    const { until, names, gate, gaveUp } = await start(300)
    gate.wrote({ type: ConfigMap, resourceVersion: '900' })
    server.restore(50, 'kept')
    await until(() => names().length === 1)
    server.put('new')
    await until(() => names().includes('new'))
    expect(names()).toEqual(['kept', 'new'])
    expect([await gate.ready([ConfigMap]), gaveUp]).toEqual([true, []])
  })
})
