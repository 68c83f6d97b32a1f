import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { LeaseType } from './lease/election.ts'
import { createManager, type Manager } from './manager.ts'
import type { ManagerOptions, Service } from './runtime.ts'
import { EventType } from './observe/events.ts'
import { silentLog } from './observe/log.ts'
import { FakeApiServer } from './testing/fake-api-server.ts'
import { FakeHttpServer } from './testing/fake-http-server.ts'
import { aFleet, FleetType, fleetController, shipRef, ShipType } from './testing/fleet.ts'
import { realWorld } from './world.ts'

const cleanUps: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

async function aCluster() {
  const api = new FakeApiServer(realWorld)
  const http = new FakeHttpServer(api, [FleetType, ShipType, LeaseType, EventType])
  const server = await http.start()
  cleanUps.push(() => http.stop())
  const log: string[] = []
  const manager = (name: string, changes: Partial<ManagerOptions> = {}): Manager => {
    const created = createManager({
      connection: { server, authorize: async () => undefined },
      world: realWorld,
      log: silentLog,
      pod: { name, uid: `uid-${name}`, namespace: 'ops' },
      leaseName: 'leader',
      fieldManager: 'tests',
      controllers: [fleetController()],
      http: { host: '127.0.0.1', port: 0 },
      onStandby: async ({ isLeading }) => void log.push(`standby ${isLeading() ? 'after leading' : 'first'}`),
      onLeading: async () => void log.push('leading'),
      services: () => [aService(log, 'endpoint', 'Always'), aService(log, 'janitor', 'WhenLeading')],
      ...changes,
    })
    cleanUps.push(() => created.stop())
    return created
  }
  return { api, http, log, manager, ships: () => api.all().filter(({ kind }) => kind === 'Ship').length }
}

function aService(log: string[], name: string, runs: Service['runs']): Service {
  return { name, runs, start: async () => void log.push(`${name} starts`), stop: async () => void log.push(`${name} stops`) }
}

async function until(holds: () => boolean): Promise<void> {
  for (const deadlineMs = performance.now() + 30_000; !holds(); ) {
    if (performance.now() > deadlineMs) throw new Error(`not within 30 s: ${holds.toString()}`)
    await delay(5)
  }
}

describe('a manager', () => {
  it('starts everything in order, works, and stops everything in order', async () => {
    const { api, log, manager, ships } = await aCluster()
    api.put(aFleet(3))
    const one = manager('one')
    await Promise.all([one.start(), one.start()])
    await until(() => ships() === 3)
    await Promise.all([one.stop(), one.stop()])
    expect(log).toEqual([
      'endpoint starts', 'standby first', 'janitor starts', 'leading',
      'janitor stops', 'endpoint stops', 'standby after leading',
    ])
    expect(await one.ended).toEqual({ reason: 'Stopped' })
  })

  it('gives the lease back last, so that a standby goes on within seconds, and its events are written', async () => {
    const { api, manager, ships } = await aCluster()
    api.put(aFleet(1))
    const [one, two] = [manager('one'), manager('two')]
    await one.start()
    await until(() => ships() === 1)
    await two.start()
    await one.stop()
    api.put(aFleet(2))
    await until(() => ships() === 2)
    expect([one.runtime.isLeading(), two.runtime.isLeading()]).toEqual([false, true])
    expect(api.all().some(({ kind }) => kind === 'Event')).toBe(true)
  })

  it('lists everything anew between gaining the lease and the first pass', async () => {
    const { http, log, manager } = await aCluster()
    const one = manager('one', { onLeading: async () => void log.push(http.requests.filter((request) => request === 'GET ships').join()) })
    await one.start()
    await until(() => log.includes('GET ships,GET ships'))
    expect(http.requests.indexOf('POST leases')).toBeLessThan(http.requests.lastIndexOf('GET ships'))
  })

  it('that gains the lease while it is stopped does not present itself as the leader', async () => {
    const { http, log, manager } = await aCluster()
    const one = manager('one', { services: () => [] })
    await one.start()
    http.lateMs.set('ships', 300)
    await until(() => one.runtime.isLeading())
    await one.stop()
    expect(log).toEqual(['standby first', 'standby after leading'])
  })

  it('writes the events of the last pass before it ends', async () => {
    const { api, http, manager, ships } = await aCluster()
    http.lateMs.set('events', 300)
    api.put(aFleet(1))
    const one = manager('one')
    await one.start()
    await until(() => ships() === 1)
    await one.stop()
    expect(api.all().some(({ kind }) => kind === 'Event')).toBe(true)
  })

  it('keeps a standby from writing, though its caches are warm and its endpoints serve', async () => {
    const { api, log, manager } = await aCluster()
    const [one, two] = [manager('one'), manager('two')]
    await one.start()
    await until(() => log.includes('leading'))
    await two.start()
    api.put(aFleet(0))
    await until(() => two.runtime.cache.of(FleetType).list().length === 1)
    await expect(two.runtime.client.create(ShipType, { apiVersion: 'example.dev/v1', kind: 'Ship', metadata: { namespace: 'a', name: 's' } })).rejects.toThrow('does not hold the lease')
    expect(log.filter((line) => line === 'endpoint starts')).toHaveLength(2)
    expect(log.filter((line) => line === 'leading')).toHaveLength(1)
  })

  it('serves health, readiness and metrics', async () => {
    const { log, manager } = await aCluster()
    const one = manager('one')
    await one.start()
    await until(() => log.includes('leading'))
    const ask = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${one.httpPort()}${path}`)).text()
    expect([await ask('/healthz'), await ask('/readyz')]).toEqual(['ok\n', 'ok\n'])
    expect(await ask('/metrics')).toContain('leader_election_master_status{name="leader"} 1')
  })

  it('is alive but not ready while kinds are not listed', async () => {
    const { manager } = await aCluster()
    const one = manager('one', { kinds: [{ type: { ...ShipType, kind: 'Nowhere', plural: 'nowheres' } }] })
    const starting = one.start()
    await until(() => one.httpPort() !== 0)
    const codes = await Promise.all(['/healthz', '/readyz'].map(async (path) => (await fetch(`http://127.0.0.1:${one.httpPort()}${path}`)).status))
    await one.stop()
    await starting
    expect(codes).toEqual([200, 503])
  })

  it('ends where it cannot start leading, so that another replica does', async () => {
    const { manager } = await aCluster()
    const one = manager('one', { onLeading: () => Promise.reject(new Error('no label')) })
    await one.start()
    expect(await one.ended).toMatchObject({ reason: 'LeadingFailed', error: { cause: { message: 'no label' } } })
  })

  it('wakes a controller for one object, and knows no other controllers', async () => {
    const { api, log, manager } = await aCluster()
    const looked: string[] = []
    const controller = fleetController({
      observe: async (fleet) => {
        looked.push(fleet.metadata.name)
        return { fleet, ships: [] }
      },
      plan: () => ({ writes: [], events: [] }),
    })
    api.put(aFleet(0))
    const one = manager('one', { controllers: [controller] })
    await one.start()
    await until(() => log.includes('leading') && looked.length === 1)
    one.runtime.enqueue('fleet', { namespace: 'a', name: 'fleet' })
    await until(() => looked.length === 2)
    expect(() => one.runtime.enqueue('navy', { name: 'x' })).toThrow('there is no controller navy; there are fleet')
  })

  it('goes on after a step of stopping fails', async () => {
    const { api, manager, ships } = await aCluster()
    const broken: Service = { ...aService([], 'broken', 'WhenLeading'), stop: () => Promise.reject(new Error('stuck')) }
    const one = manager('one', { services: () => [broken] })
    await one.start()
    api.put(aFleet(1))
    await until(() => ships() === 1)
    await one.stop()
    expect(api.find({ ...shipRef('leader'), ...LeaseType, namespace: 'ops' })).toMatchObject({ spec: { holderIdentity: '' } })
  })
})
