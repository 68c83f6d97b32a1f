import { describe, expect, it } from 'vitest'
import { ApiError, Retryable } from '../api/errors.ts'
import type { KubeObject } from '../api/object.ts'
import type { Client } from '../api/resource.ts'
import { createFence, NotLeading } from '../lease/fence.ts'
import { ownedBy } from '../meta/owner.ts'
import { FakeApiServer } from '../testing/fake-api-server.ts'
import { FakeCache } from '../testing/fake-cache.ts'
import { createFakeWorld } from '../testing/fake-world.ts'
import { aFleet, aShip, FleetType, shipRef, ShipType } from '../testing/fleet.ts'
import { createExecutor, type Subject } from './execute.ts'
import type { EventIntent, Plan, Write } from './plan.ts'

const sailed: EventIntent = { type: 'Normal', reason: 'Sailed', action: 'Sail', note: 'gone to sea' }

function aPlace() {
  const world = createFakeWorld()
  const server = new FakeApiServer(world)
  const cache = new FakeCache(server)
  const events: EventIntent[] = []
  const executorOn = (client: Client) =>
    createExecutor({ client, cache, types: [FleetType, ShipType], fieldManager: 'tests', record: (_, event) => events.push(event), world })
  const run = (plan: Partial<Plan>, subject: Subject | undefined, client = server.connect()) =>
    executorOn(client)({ writes: [], events: [], ...plan }, subject, new AbortController().signal)
  return { world, server, cache, events, run, fleet: server.put(aFleet(1)) }
}

function create(object: KubeObject): Write {
  return { op: 'create', object }
}

/** A client that answers the nth write with an error instead of carrying it out. */
function refusing(client: Client, nth: number, error: Error): Client {
  let writes = 0
  const guarded = <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) => (...args: A): Promise<R> => {
    writes += 1
    return writes === nth ? Promise.reject(error) : call(...args)
  }
  return { ...client, create: guarded(client.create) as Client['create'], applyStatus: guarded(client.applyStatus) as Client['applyStatus'] }
}

describe('executing a plan', () => {
  it('writes in order, then the status, then the events', async () => {
    const { server, fleet, run, events } = aPlace()
    await run({ writes: [create(aShip(aFleet(0, fleet.metadata), 2)), create(aShip(aFleet(0, fleet.metadata), 1))], status: { ships: 0 }, events: [sailed] }, fleet)
    expect(server.writes).toEqual(['create Ship a/fleet-2', 'create Ship a/fleet-1', 'status Fleet a/fleet'])
    expect(events).toEqual([sailed])
  })

  it('writes nothing where everything is as planned, and repeats no event', async () => {
    const { server, fleet, run, events } = aPlace()
    const ship = aShip(aFleet(0, fleet.metadata), 1)
    await run({ writes: [create(ship)], status: { ships: 1 }, events: [sailed] }, fleet)
    const after = server.find(fleet)
    await run({ writes: [create(ship)], status: { ships: 1 }, events: [sailed] }, after)
    expect([server.writes.length, events.length]).toEqual([2, 1])
  })

  it('leaves an existing child of ours as it is, even if the cache does not show it yet', async () => {
    const { server, cache, fleet, run } = aPlace()
    const ship = aShip(aFleet(0, fleet.metadata), 1)
    cache.lag()
    server.create(ship)
    expect((await run({ writes: [create(ship)] }, fleet)).failures).toEqual([])
  })

  it.each(['create', 'apply'] as const)('refuses to %s over an object that somebody else controls, naming it', async (op) => {
    const { server, fleet, run } = aPlace()
    const ship = aShip(aFleet(0, fleet.metadata), 1)
    const other = ownedBy(aFleet(0, { name: 'other', uid: 'u-other' }))
    const foreign = server.create({ ...ship, metadata: { ...ship.metadata, ownerReferences: [other] } })
    const { failures } = await run({ writes: [{ op, object: ship }] }, fleet)
    expect(String(failures[0])).toBe('Conflict: Ship a/fleet-1 already exists and is controlled by Fleet other (uid u-other); delete or rename it')
    expect(server.find(foreign)).toEqual(foreign)
  })

  it('waits for the garbage collector where an object that was deleted and made anew finds the children of the old one', async () => {
    const { server, fleet, run, events } = aPlace()
    const ship = aShip(aFleet(0, fleet.metadata), 1)
    server.create({ ...ship, metadata: { ...ship.metadata, ownerReferences: [ownedBy(aFleet(0, { uid: 'u-before' }))] } })
    const { failures } = await run({ writes: [create(ship)] }, fleet)
    expect([failures, events]).toEqual([[expect.any(Retryable)], []])
    expect(String(failures[0])).toBe('Retryable: Ship a/fleet-1 of the deleted Fleet of that name is still there')
  })

  it('refuses to take over an object that nobody controls, though the cache does not hold it', async () => {
    const { server, cache, fleet, run } = aPlace()
    const ship = aShip(aFleet(0, fleet.metadata), 1)
    cache.lag()
    server.create({ ...ship, metadata: { namespace: 'a', name: 'fleet-1' } })
    const { failures } = await run({ writes: [{ op: 'apply', object: ship }] }, fleet)
    expect(String(failures[0])).toContain('already exists and is controlled by nobody')
  })

  describe('that needs a name which another object has', () => {
    const since = '2025-12-31T00:00:00Z'
    const conditions = (message: string) => [['Ready', 'False'], ['Reconciling', 'True'], ['Stalled', 'False']].map(([type, status]) => ({ type, status, reason: 'Building', message, lastTransitionTime: since }))
    const told = (status: unknown) => (status as { conditions?: readonly Record<string, string>[] }).conditions?.map(({ type, status: truth, reason, message }) => [type, truth, reason, message])

    it('says so in the conditions until somebody acts, and writes it once', async () => {
      const { server, fleet, run } = aPlace()
      const ship = aShip(aFleet(0, fleet.metadata), 1)
      const foreign = server.create({ ...ship, metadata: { namespace: 'a', name: 'fleet-1' } })
      const plan: Partial<Plan> = { writes: [{ op: 'apply', object: ship }], status: { ships: 0, conditions: conditions('It is built.') } }
      await run(plan, fleet)
      const says = 'Ship a/fleet-1 already exists and is controlled by nobody; delete or rename it'
      expect(told(server.find(fleet)?.status)).toEqual([['Ready', 'False', 'Building', says], ['Reconciling', 'False', 'Building', 'It is built.'], ['Stalled', 'True', 'NameTaken', says]])
      await run(plan, server.find(fleet))
      expect([server.writes.filter((write) => write.startsWith('status')), server.find(foreign)]).toEqual([['status Fleet a/fleet'], foreign])
      server.remove(shipRef('fleet-1'))
      await run(plan, server.find(fleet))
      expect(told(server.find(fleet)?.status)).toEqual(told(plan.status))
    })

    it('says nothing of it where its status has no conditions', async () => {
      const { server, fleet, run } = aPlace()
      const ship = aShip(aFleet(0, fleet.metadata), 1)
      server.create({ ...ship, metadata: { namespace: 'a', name: 'fleet-1' } })
      await run({ writes: [{ op: 'create', object: ship }], status: { ships: 0 } }, fleet)
      expect(server.find(fleet)?.status).toEqual({ ships: 0 })
    })
  })

  it('does not revive by apply a child that was deleted behind a stale cache', async () => {
    const { server, cache, fleet, run } = aPlace()
    const ship = server.create(aShip(aFleet(0, fleet.metadata), 1))
    cache.lag()
    server.remove(shipRef('fleet-1'))
    const { failures } = await run({ writes: [{ op: 'apply', object: aShip(aFleet(0, fleet.metadata), 1) }] }, fleet)
    expect([failures.length, server.find(ship)]).toEqual([1, undefined])
  })

  it('removes the very object it saw and spares a successor of the same name', async () => {
    const { server, cache, fleet, run } = aPlace()
    server.create(aShip(aFleet(0, fleet.metadata), 1))
    cache.lag()
    server.remove(shipRef('fleet-1'))
    const successor = server.create(aShip(aFleet(0, fleet.metadata), 1))
    const { failures } = await run({ writes: [{ op: 'remove', ref: shipRef('fleet-1') }] }, fleet)
    expect([failures, server.find(successor)?.metadata.uid]).toEqual([[], successor.metadata.uid])
  })

  it('does not ask again for the deletion of what is going already', async () => {
    const { server, fleet, run } = aPlace()
    const ship = aShip(aFleet(0, fleet.metadata), 1)
    server.create({ ...ship, metadata: { ...ship.metadata, finalizers: ['tests/hold'] } })
    const plan = { writes: [{ op: 'remove', ref: shipRef('fleet-1') } as const] }
    await run(plan, fleet)
    await run(plan, fleet)
    expect(server.writes).toEqual(['remove Ship a/fleet-1'])
  })

  it('releases its own finalizer and no other, and an object that is gone counts as released', async () => {
    const { server, fleet, run } = aPlace()
    const ship = aShip(aFleet(0, fleet.metadata), 1)
    server.create({ ...ship, metadata: { ...ship.metadata, finalizers: ['else/hold', 'tests/hold'] } })
    const release = (name: string): Write => ({ op: 'release', ref: shipRef(name), finalizer: 'tests/hold' })
    const { failures } = await run({ writes: [release('fleet-1'), release('fleet-1'), release('never-was')] }, fleet)
    expect([failures, server.find(shipRef('fleet-1'))?.metadata.finalizers]).toEqual([[], ['else/hold']])
    expect(server.writes).toEqual(['patch Ship a/fleet-1'])
  })

  it('releases though somebody else took a finalizer off behind a stale cache, as the Job controller does', async () => {
    const { server, cache, fleet, run } = aPlace()
    const ship = aShip(aFleet(0, fleet.metadata), 1)
    const held = server.create({ ...ship, metadata: { ...ship.metadata, finalizers: ['else/hold', 'tests/hold'] } })
    cache.lag()
    server.put({ ...held, metadata: { ...held.metadata, finalizers: ['tests/hold'] } })
    const { failures } = await run({ writes: [{ op: 'release', ref: shipRef('fleet-1'), finalizer: 'tests/hold' }] }, fleet)
    expect([failures, server.find(shipRef('fleet-1'))?.metadata.finalizers]).toEqual([[], []])
  })

  it('passes on why a release was refused, so that a lost lease or a conflict is not taken for a failure', async () => {
    const { server, fleet, run } = aPlace()
    const ship = aShip(aFleet(0, fleet.metadata), 1)
    server.create({ ...ship, metadata: { ...ship.metadata, finalizers: ['tests/hold'] } })
    const client = server.connect({ mayWrite: createFence(createFakeWorld()).mayWrite })
    const { failures } = await run({ writes: [{ op: 'release', ref: shipRef('fleet-1'), finalizer: 'tests/hold' }] }, fleet, client)
    expect(failures).toEqual([expect.any(NotLeading)])
  })

  it('does not take a conflict over a deletion for the deletion', async () => {
    const { server, fleet, run } = aPlace()
    server.create(aShip(aFleet(0, fleet.metadata), 1))
    const conflict = new ApiError({ code: 409, reason: 'Conflict', message: 'the object has been modified' })
    const client: Client = { ...server.connect(), remove: () => Promise.reject(conflict) }
    expect((await run({ writes: [{ op: 'remove', ref: shipRef('fleet-1') }] }, fleet, client)).failures).toEqual([conflict])
  })

  it('counts as released what the cache still shows as held', async () => {
    const { server, cache, fleet, run, events } = aPlace()
    const ship = aShip(aFleet(0, fleet.metadata), 1)
    server.create({ ...ship, metadata: { ...ship.metadata, finalizers: ['tests/hold'] } })
    cache.lag()
    const plan: Partial<Plan> = { writes: [{ op: 'release', ref: shipRef('fleet-1'), finalizer: 'tests/hold' }] }
    const outcomes = [await run(plan, fleet), await run(plan, fleet)]
    expect([outcomes.flatMap(({ failures }) => failures), events]).toEqual([[], []])
  })

  it('still releases and removes for an object that is gone or going, but creates nothing for it', async () => {
    const { server, fleet, run } = aPlace()
    server.create(aShip(aFleet(0, fleet.metadata), 1))
    const writes = [create(aShip(aFleet(0, fleet.metadata), 2)), { op: 'remove', ref: shipRef('fleet-1') } as const]
    await run({ writes }, { ...fleet, metadata: { ...fleet.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } })
    await run({ writes, status: { ships: 9 } }, undefined)
    expect(server.writes).toEqual(['remove Ship a/fleet-1'])
  })

  it('stops at the first write that fails, but still writes the status, so that users see why', async () => {
    const { server, fleet, run } = aPlace()
    const quota = new ApiError({ code: 403, reason: 'Forbidden', message: 'exceeded quota: ships' })
    const ships = [1, 2].map((number) => create(aShip(aFleet(0, fleet.metadata), number)))
    const { failures } = await run({ writes: ships, status: { ships: 0 } }, fleet, refusing(server.connect(), 1, quota))
    expect([failures, server.writes]).toEqual([[quota], ['status Fleet a/fleet']])
  })

  it('tells the user of a refused write by an event', async () => {
    const { server, fleet, run, events } = aPlace()
    const quota = new ApiError({ code: 403, reason: 'Forbidden', message: 'exceeded quota: ships' })
    await run({ writes: [create(aShip(aFleet(0, fleet.metadata), 1))] }, fleet, refusing(server.connect(), 1, quota))
    expect(events).toEqual([{ type: 'Warning', reason: 'WriteFailed', action: 'CreateShip', note: 'exceeded quota: ships' }])
  })

  it('keeps both errors where the status fails too', async () => {
    const { server, fleet, run } = aPlace()
    const down = new ApiError({ code: 500, reason: 'InternalError', message: 'down' })
    const client = refusing(refusing(server.connect(), 1, down), 2, down)
    const { failures } = await run({ writes: [create(aShip(aFleet(0, fleet.metadata), 1))], status: { ships: 0 } }, fleet, client)
    expect(failures).toHaveLength(2)
  })

  it('does not overwrite a status with one planned from an older object, and keeps its events to itself', async () => {
    const { server, fleet, run, events } = aPlace()
    server.put({ ...fleet, spec: { size: 5 } })
    const { failures } = await run({ status: { ships: 1 }, events: [sailed] }, fleet)
    expect([failures.length, server.find(fleet)?.status, events]).toEqual([1, undefined, []])
  })

  it('sees no difference in a status whose keys merely stand in another order', async () => {
    const { server, fleet, run } = aPlace()
    await run({ status: { list: [{ a: 1, b: 2 }], time: 't' } }, { ...fleet, status: { time: 't', list: [{ b: 2, a: 1 }] } })
    expect(server.writes).toEqual([])
  })

  it('repeats no event where the server finds that a status which looks different is the same', async () => {
    const { server, fleet, run, events } = aPlace()
    const client: Client = { ...server.connect(), applyStatus: async () => fleet as never } // it drops what the schema does not know
    const { statusWritten } = await run({ status: { ships: 0, unknown: 1 }, events: [sailed] }, { ...fleet, status: { ships: 0 } }, client)
    expect([statusWritten, events]).toEqual([false, []])
  })

  it('refuses to write a kind that no controller declared', async () => {
    const { fleet, run } = aPlace()
    const { failures } = await run({ writes: [create({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'a', name: 's' } })] }, fleet)
    expect(String(failures[0])).toContain('a plan writes a Secret of v1, which no controller owns')
  })
})

describe('a process that does not renew its lease', () => {
  it('writes nothing from ten seconds after the last renewal, in the middle of a plan too', async () => {
    const { world, server, fleet, run } = aPlace()
    const fence = createFence(world)
    fence.renewed(world.monotonicMs())
    const client = server.connect({ mayWrite: () => fence.mayWrite() })
    const slow: Client = {
      ...client,
      create: async (type, object) => {
        const created = await client.create(type, object)
        await world.sleep(10_001) // the process stands still, as under SIGSTOP
        return created as never
      },
    }
    const ships = [1, 2].map((number) => create(aShip(aFleet(0, fleet.metadata), number)))
    const done = run({ writes: ships, status: { ships: 0 } }, fleet, slow)
    await world.advance(10_001)
    expect([String((await done).failures[0]), server.writes]).toEqual([
      'NotLeading: the lease was last renewed 10001 ms ago, so this replica writes nothing', ['create Ship a/fleet-1'],
    ])
  })
})
