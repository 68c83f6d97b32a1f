import { describe, expect, it } from 'vitest'
import { ApiError, Retryable, Terminal } from '../api/errors.ts'
import { ConsistencyGate } from '../cache/gate.ts'
import { NotLeading } from '../lease/fence.ts'
import { silentLog, type Log } from '../observe/log.ts'
import { FakeApiServer } from '../testing/fake-api-server.ts'
import { FakeCache } from '../testing/fake-cache.ts'
import { createFakeWorld } from '../testing/fake-world.ts'
import { aFleet, FleetType, fleetController, planFleet, ShipType } from '../testing/fleet.ts'
import type { Controller } from './controller.ts'
import { createExecutor } from './execute.ts'
import { createReconciler, ReconcileTimeout } from './reconcile.ts'

const key = { namespace: 'a', name: 'fleet' }

function aPass(controller: Controller = fleetController()) {
  const world = createFakeWorld()
  const server = new FakeApiServer(world)
  const gate = new ConsistencyGate(world)
  for (const type of [FleetType, ShipType]) gate.track(type)
  const cache = new FakeCache(server, gate)
  const client = server.connect({ onWrite: gate.wrote })
  const execute = createExecutor({ client, cache, types: [FleetType, ShipType], fieldManager: 'tests', record: () => undefined, world })
  const reconcile = createReconciler({ controller, cache, gate, execute, world })
  const stop = new AbortController()
  return { world, server, cache, stop, pass: (log: Log = silentLog) => reconcile(key, log, stop.signal) }
}

function failingWith(error: unknown): Controller {
  return fleetController({ observe: () => Promise.reject(error) })
}

describe('a pass', () => {
  it('brings the children to what the object wants', async () => {
    const { server, pass } = aPass()
    server.put(aFleet(2))
    expect(await pass()).toEqual({ result: 'success' })
    expect(server.writes).toEqual(['create Ship a/fleet-0', 'create Ship a/fleet-1', 'status Fleet a/fleet'])
  })

  it('comes back when the plan says so', async () => {
    const { server, pass } = aPass(fleetController({ plan: (seen) => ({ ...planFleet(seen), again: 30 }) }))
    server.put(aFleet(0))
    expect(await pass()).toEqual({ result: 'again', afterMs: 30_000 })
  })

  it('never plans on a cache older than its own writes: no child is made twice behind a slow watch', async () => {
    const generated = fleetController({
      // A careless controller: it counts, and names its children at random.
      plan: ({ fleet, ships }) => ({
        writes: Array.from({ length: Math.max(0, fleet.spec.size - ships.length) }, () => {
          const metadata = { namespace: 'a', name: `ship-${Math.random()}`, ownerReferences: [{ ...fleet, name: 'fleet', uid: fleet.metadata.uid ?? '', controller: true }] }
          return { op: 'create' as const, object: { apiVersion: 'example.dev/v1', kind: 'Ship', metadata } }
        }),
        events: [],
      }),
    })
    const { world, server, cache, pass } = aPass(generated)
    server.put(aFleet(3))
    cache.lag()
    await pass()
    const second = pass()
    await world.advance(2_000)
    expect(await second).toEqual({ result: 'stale', afterMs: 100 })
    cache.catchUp()
    await pass()
    expect(server.writes.filter((write) => write.startsWith('create'))).toHaveLength(3)
  })

  it('looks after what still waits when the object is gone', async () => {
    const ref = { apiVersion: 'example.dev/v1', kind: 'Ship', namespace: 'a', name: 'adrift' }
    const { server, pass } = aPass(fleetController({ absent: async () => ({ writes: [{ op: 'release', ref, finalizer: 'tests/hold' }], events: [] }) }))
    server.put({ apiVersion: 'example.dev/v1', kind: 'Ship', metadata: { namespace: 'a', name: 'adrift', finalizers: ['tests/hold'] } })
    await pass()
    expect(server.find(ref)?.metadata.finalizers).toEqual([])
  })

  it('tells of a new state, but not of every progress within one, nor of nothing', async () => {
    const told: unknown[] = []
    const log: Log = { ...silentLog, info: (fields) => void told.push(fields) }
    let step = 0
    const { server, pass } = aPass(fleetController({
      plan: () => ({ writes: [], events: [], status: { state: step < 3 ? 'Sailing' : 'Moored', step: Math.min(step, 3) } }),
    }))
    server.put(aFleet(0))
    for (; step < 6; step += 1) await pass(log)
    expect([server.writes.length, told]).toEqual([4, [{ status: { state: 'Sailing' } }, { status: { state: 'Moored' } }]])
  })

  it('ends after 30 s when the observation hangs, and nothing of it is written later', async () => {
    const hang = Promise.withResolvers<void>()
    const { world, server, pass } = aPass(fleetController({
      observe: async (fleet) => {
        await hang.promise
        return { fleet, ships: [] }
      },
    }))
    server.put(aFleet(2))
    const outcome = pass()
    await world.advance(30_000)
    expect(await outcome).toMatchObject({ result: 'error', class: 'Timeout', error: expect.any(ReconcileTimeout) })
    hang.resolve()
    await world.settle()
    expect(server.writes).toEqual([])
  })

  it('ends between two writes when the process stops', async () => {
    const { server, stop, pass } = aPass(fleetController({
      plan: (seen) => {
        stop.abort()
        return planFleet(seen)
      },
    }))
    server.put(aFleet(2))
    expect(await pass()).toMatchObject({ result: 'error', class: 'Expected' })
    expect(server.writes).toEqual([])
  })
})

describe('a pass that fails', () => {
  it.each([
    ['a mistake in the code', new TypeError('x is undefined'), 'Bug'],
    ['a thrown non-error', 'oops', 'Bug'],
    ['something no retry can help', new Terminal('Broken', 'broken'), 'Terminal'],
    ['trouble at the API server', new ApiError({ code: 500, reason: 'InternalError', message: 'down' }), 'Failure'],
    ['somebody who was faster', new ApiError({ code: 409, reason: 'Conflict', message: 'modified' }), 'Expected'],
    ['a lost lease', new NotLeading('not leading'), 'Expected'],
  ])('says so, and says that it was %s', async (_name, error, failure) => {
    const { server, pass } = aPass(failingWith(error))
    server.put(aFleet(1))
    expect(await pass()).toEqual({ result: 'error', error, class: failure })
  })

  it('contains what a plan throws', async () => {
    const { server, pass } = aPass(fleetController({
      plan: () => {
        throw new RangeError('off by one')
      },
    }))
    server.put(aFleet(1))
    expect(await pass()).toMatchObject({ result: 'error', class: 'Bug' })
  })

  it('waits for a change of an object that is not what its schema promises', async () => {
    const { server, pass } = aPass()
    server.put({ ...aFleet(1), spec: { size: 'many' } })
    const message = 'the Fleet is not what its schema promises: spec.size must be a number'
    expect(await pass()).toMatchObject({ class: 'Terminal', error: { reason: 'InvalidObject', message } })
  })

  it.each([
    [new Retryable('the store is away', { afterSeconds: 7 }), 7_000],
    [new AggregateError([new Error('a write failed'), new Retryable('so did the status', { afterSeconds: 2 })]), 2_000],
    [new ApiError({ code: 429, reason: 'TooManyRequests', message: 'slow down', retryAfterSeconds: 3 }), 3_000],
  ])('comes back when %s asks it to', async (error, afterMs) => {
    const { server, pass } = aPass(failingWith(error))
    server.put(aFleet(1))
    expect(await pass()).toMatchObject({ result: 'error', afterMs })
  })
})
