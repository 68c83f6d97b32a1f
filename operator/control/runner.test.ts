import { describe, expect, it } from 'vitest'
import { ConsistencyGate } from '../cache/gate.ts'
import type { KubeObject } from '../api/object.ts'
import type { Cache } from '../cache/cache.ts'
import { silentLog } from '../observe/log.ts'
import { FakeApiServer } from '../testing/fake-api-server.ts'
import { FakeCache } from '../testing/fake-cache.ts'
import { createFakeWorld } from '../testing/fake-world.ts'
import { aFleet, aShip, FleetType, fleetController, HarbourType, planFleet, shipRef, ShipType, type Fleet } from '../testing/fleet.ts'
import type { Controller } from './controller.ts'
import { createExecutor } from './execute.ts'
import { createReconciler } from './reconcile.ts'
import { Runner, WORKERS, type RunnerObserver } from './runner.ts'

function aRunner(controller: Controller = fleetController()) {
  const world = createFakeWorld()
  const server = new FakeApiServer(world)
  const gate = new ConsistencyGate(world)
  const cache = new FakeCache(server, gate)
  const execute = createExecutor({ client: server.connect(), cache, types: [FleetType, ShipType], fieldManager: 'tests', record: () => undefined, world })
  const ended: string[] = []
  const observer: RunnerObserver = {
    queue: { taken: () => undefined, finished: () => undefined },
    exposes: () => undefined,
    began: () => undefined,
    ended: (result, _ms, failure) => void ended.push(failure ?? result),
  }
  const reconcile = createReconciler({ controller, cache, gate, execute, world })
  const runner = new Runner({ controller, cache, reconcile, world, log: silentLog, observer })
  const counted = (): unknown => Reflect.get(Object(server.find({ ...shipRef('fleet'), kind: 'Fleet' })?.status), 'ships')
  return { world, server, runner, ended, counted }
}

/** A controller that only tells which objects were looked at. */
function looking(looked: string[], look: (object: Fleet) => Promise<void> = async () => undefined): Controller {
  return fleetController({
    watches: [{ type: HarbourType, keys: ({ metadata }) => [{ namespace: 'a', name: String(metadata.labels?.['fleet']) }] }],
    observe: async (fleet) => {
      looked.push(fleet.metadata.name)
      await look(fleet)
      return { fleet, ships: [] }
    },
    plan: () => ({ writes: [], events: [] }),
    absent: async ({ name }) => {
      looked.push(`${name} is gone`)
      return { writes: [], events: [] }
    },
  })
}

function aHarbour(fleet: string): KubeObject {
  return { apiVersion: 'example.dev/v1', kind: 'Harbour', metadata: { namespace: 'elsewhere', name: 'h', labels: { fleet } } }
}

describe('a running controller', () => {
  it('brings objects that were there before it, and later ones, to what they want', async () => {
    const { world, server, runner, counted } = aRunner()
    server.put(aFleet(2))
    runner.start()
    await world.settle()
    expect(counted()).toBe(2)
    server.put({ ...aFleet(3) })
    await world.settle()
    expect(counted()).toBe(3)
  })

  it('repairs a child that somebody deleted', async () => {
    const { world, server, runner } = aRunner()
    server.put(aFleet(2))
    runner.start()
    await world.settle()
    const sunk = server.remove(shipRef('fleet-1'))
    await world.settle()
    expect(server.find(shipRef('fleet-1'))?.metadata.uid).not.toBe(sunk?.metadata.uid)
  })

  it('wakes for the object itself, for its children by their controller, and for what it watches', async () => {
    const looked: string[] = []
    const { world, server, runner } = aRunner(looking(looked))
    const fleet = server.put(aFleet(0))
    runner.start()
    await world.settle()
    server.create(aShip(aFleet(0, fleet.metadata), 0))
    await world.settle()
    server.put(aHarbour('fleet'))
    await world.settle()
    expect(looked).toEqual(['fleet', 'fleet', 'fleet'])
  })

  it('looks up in the cache whom a watched object concerns', async () => {
    const looked: string[] = []
    const watched = { type: HarbourType, keys: (_: KubeObject, cache: Pick<Cache, 'of'>) => cache.of(FleetType).list().map(({ metadata }) => metadata) }
    const { world, server, runner } = aRunner({ ...looking(looked), watches: [watched] })
    server.put(aFleet(0, { name: 'one' }))
    runner.start()
    await world.settle()
    server.put(aHarbour('none'))
    await world.settle()
    expect(looked).toEqual(['one', 'one'])
  })

  it('wakes both for the object that a watched one left and for the one it now points to', async () => {
    const looked: string[] = []
    const { world, server, runner } = aRunner(looking(looked))
    for (const name of ['one', 'two']) server.put(aFleet(0, { name }))
    server.put(aHarbour('one'))
    runner.start()
    await world.settle()
    looked.length = 0
    server.put(aHarbour('two'))
    await world.settle()
    expect(looked.toSorted()).toEqual(['one', 'two'])
  })

  it('serves a fresh edit before what it found at its start', async () => {
    const looked: string[] = []
    const { world, server, runner } = aRunner(looking(looked, () => world.sleep(1_000)))
    for (let number = 0; number < 100; number += 1) server.put(aFleet(0, { name: `old-${number}` }))
    runner.start()
    await world.settle()
    server.put(aFleet(0, { name: 'fresh' }))
    await world.advance(1_000)
    expect(looked.indexOf('fresh')).toBe(WORKERS)
  })

  it('hears of an object that is gone', async () => {
    const looked: string[] = []
    const { world, server, runner } = aRunner(looking(looked))
    server.put(aFleet(0))
    runner.start()
    await world.settle()
    server.remove({ ...shipRef('fleet'), kind: 'Fleet' })
    await world.settle()
    expect(looked).toEqual(['fleet', 'fleet is gone'])
  })

  it('works on several objects at a time, but on each only once', async () => {
    const under = new Map<string, number>()
    const most = { together: 0, alike: 0 }
    const { world, server, runner } = aRunner(looking([], async ({ metadata: { name } }) => {
      under.set(name, (under.get(name) ?? 0) + 1)
      most.alike = Math.max(most.alike, ...under.values())
      most.together = Math.max(most.together, [...under.values()].reduce((sum, count) => sum + count, 0))
      await world.sleep(1_000)
      under.set(name, (under.get(name) ?? 0) - 1)
    }))
    for (let number = 0; number < 8; number += 1) server.put(aFleet(0, { name: `fleet-${number}` }))
    runner.start()
    for (let touch = 0; touch < 5; touch += 1) {
      server.put(aFleet(touch + 1, { name: 'fleet-0' }))
      await world.advance(500)
    }
    expect(most).toEqual({ together: WORKERS, alike: 1 })
  })

  it('looks again after an outside wake-up, at once or later', async () => {
    const looked: string[] = []
    const { world, server, runner } = aRunner(looking(looked))
    server.put(aFleet(0))
    runner.start()
    await world.settle()
    runner.enqueue({ namespace: 'a', name: 'fleet' })
    await world.settle()
    runner.enqueue({ namespace: 'a', name: 'fleet' }, { afterMs: 5_000 })
    await world.advance(4_999)
    expect(looked).toHaveLength(2)
    await world.advance(1)
    expect(looked).toHaveLength(3)
  })

  it('looks at everything again within eleven hours, though nothing happened', async () => {
    const looked: string[] = []
    const { world, server, runner } = aRunner(looking(looked))
    server.put(aFleet(0))
    runner.start()
    await world.advance(9 * 3_600_000 - 1)
    expect(looked).toHaveLength(1)
    await world.advance(2 * 3_600_000)
    expect(looked).toHaveLength(2)
  })

  it('lets the event loop turn between passes, though thousands of them have nothing to wait for', async () => {
    const looked: string[] = []
    const { server, runner } = aRunner(looking(looked))
    for (let number = 0; number < 1_000; number += 1) server.put(aFleet(0, { name: `fleet-${number}` }))
    runner.start()
    await new Promise((turned) => setImmediate(turned))
    expect(looked.length).toBeLessThanOrEqual(WORKERS)
  })

  it('finishes the passes under way when it stops, and begins no others', async () => {
    const looked: string[] = []
    const { world, server, runner, ended } = aRunner(looking(looked, () => world.sleep(1_000)))
    for (let number = 0; number < 6; number += 1) server.put(aFleet(0, { name: `fleet-${number}` }))
    runner.start()
    await world.settle()
    let stopped = false
    const stopping = runner.stop().then(() => (stopped = true))
    await world.advance(999)
    expect(stopped).toBe(false)
    await world.advance(1)
    await stopping
    expect([looked.length, ended.length]).toEqual([WORKERS, WORKERS])
    server.put(aFleet(1))
    await world.advance(60_000)
    expect(looked).toHaveLength(WORKERS)
  })
})

describe('what a pass comes to', () => {
  const failing = (error: () => unknown): Controller => fleetController({ observe: () => Promise.reject(error()) })

  it('is tried again after a failure, later each time, until it succeeds', async () => {
    let failures = 3
    const { world, server, runner, ended } = aRunner(fleetController({
      plan: (seen) => {
        failures -= 1
        if (failures >= 0) throw new TypeError('not yet')
        return planFleet(seen)
      },
    }))
    server.put(aFleet(1))
    runner.start()
    await world.advance(100)
    expect(ended.slice(0, 4)).toEqual(['Bug', 'Bug', 'Bug', 'success'])
  })

  it.each([['succeeded', undefined], ['asked to come back', 1]] as const)('backs off from the start again once it has %s', async (_name, again) => {
    let failing = true
    const { world, server, runner, ended } = aRunner(fleetController({
      plan: () => {
        if (failing) throw new TypeError('not now')
        return { writes: [], events: [], ...(again === undefined ? {} : { again }) }
      },
    }))
    const fail = async (): Promise<void> => {
      failing = true
      ended.length = 0
      runner.enqueue({ namespace: 'a', name: 'fleet' })
      await world.advance(100)
    }
    server.put(aFleet(0))
    runner.start()
    await world.advance(3_600_000)
    failing = false
    runner.enqueue({ namespace: 'a', name: 'fleet' })
    await world.advance(100)
    await fail()
    expect(ended.filter((result) => result === 'Bug').length).toBeGreaterThan(3)
  })

  it('is left alone after a failure that no retry can help, until the object changes', async () => {
    const { world, server, runner, ended } = aRunner()
    server.put({ ...aFleet(1), spec: { size: 'many' } })
    runner.start()
    await world.advance(3_600_000)
    expect(ended).toEqual(['Terminal'])
    server.put(aFleet(0))
    await world.settle()
    expect(ended.slice(0, 2)).toEqual(['Terminal', 'success'])
  })

  it('never takes the process or another object with it', async () => {
    const { world, server, runner, ended, counted } = aRunner(fleetController({
      observe: (fleet) => (fleet.metadata.name === 'bad' ? Promise.reject(new TypeError('bad')) : Promise.resolve({ fleet, ships: [] })),
      plan: ({ fleet }) => ({ writes: [], status: { ships: fleet.spec.size }, events: [] }),
    }))
    server.put(aFleet(0, { name: 'bad' }))
    server.put(aFleet(1))
    runner.start()
    await world.advance(1_000)
    expect([counted(), ended.filter((result) => result === 'Bug').length > 3]).toEqual([1, true])
  })

  it('waits out the time the API server asks for', async () => {
    const { ApiError } = await import('../api/errors.ts')
    const busy = (): unknown => new ApiError({ code: 429, reason: 'TooManyRequests', message: 'slow down', retryAfterSeconds: 10 })
    const { world, server, runner, ended } = aRunner(failing(busy))
    server.put(aFleet(1))
    runner.start()
    await world.advance(9_999)
    expect(ended).toHaveLength(1)
    await world.advance(1)
    expect(ended).toHaveLength(2)
  })
})
