// The writer of plans and a whole manager on a real API server: what the fake one only claims.
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isConflict } from '../../operator/api/errors.ts'
import { createExecutor } from '../../operator/control/execute.ts'
import type { EventIntent, Plan } from '../../operator/control/plan.ts'
import { createManager, type Manager } from '../../operator/manager.ts'
import { EventRecorder, EventType } from '../../operator/observe/events.ts'
import { silentLog } from '../../operator/observe/log.ts'
import { FakeApiServer } from '../../operator/testing/fake-api-server.ts'
import { FakeCache } from '../../operator/testing/fake-cache.ts'
import { aFleet, aShip, FleetType, fleetController, shipRef, ShipType, type Fleet } from '../../operator/testing/fleet.ts'
import { realWorld } from '../../operator/world.ts'
import { waitUntil } from '../cluster/exec.ts'
import { startFleetWorld, type FleetWorld } from './fleet-world.ts'

let sea: FleetWorld
beforeAll(async () => {
  sea = await startFleetWorld('execute')
})
afterAll(() => sea.stop())

let names = 0
async function newFleet(size = 0): Promise<Fleet> {
  names += 1
  return sea.client.create(FleetType, aFleet(size, { name: `fleet-${names}` }))
}

/** Executes on the real server with a cache that shows nothing: each decision rests on the server's own answers. */
function execute(plan: Partial<Plan>, fleet: Fleet, record: (event: EventIntent) => void = () => undefined) {
  const cache = new FakeCache(new FakeApiServer(realWorld))
  const run = createExecutor({ client: sea.client, cache, types: [FleetType, ShipType], fieldManager: 'tests', record: (_, event) => record(event), world: realWorld })
  return run({ writes: [], events: [], ...plan }, fleet, new AbortController().signal)
}

const shipOf = (fleet: Fleet, number = 0) => aShip(fleet, number)
const find = (name: string) => sea.client.get(ShipType, { namespace: 'a', name })

describe('one plan on a real API server', () => {
  it('is repeated without an effect', async () => {
    const fleet = await newFleet()
    const plan: Partial<Plan> = { writes: [{ op: 'create', object: shipOf(fleet) }, { op: 'apply', object: shipOf(fleet, 1) }], status: { ships: 2 } }
    expect((await execute(plan, fleet)).failures).toEqual([])
    const first = [await find(`${fleet.metadata.name}-0`), await find(`${fleet.metadata.name}-1`)]
    const after = await sea.client.get(FleetType, fleet.metadata)
    expect(after?.status).toEqual({ ships: 2 })
    expect(await execute(plan, after ?? fleet)).toEqual({ failures: [], statusWritten: false })
    expect([await find(`${fleet.metadata.name}-0`), await find(`${fleet.metadata.name}-1`)]).toEqual(first)
  })

  it('loses to whoever changed the object in between, and its status is not overwritten', async () => {
    const fleet = await newFleet()
    await sea.client.patch(FleetType, fleet.metadata, { contentType: 'application/merge-patch+json', body: { spec: { size: 7 } } })
    const { failures, statusWritten } = await execute({ status: { ships: 1 } }, fleet)
    expect([failures.map(isConflict), statusWritten]).toEqual([[true], false])
    expect((await sea.client.get(FleetType, fleet.metadata))?.status).toBeUndefined()
  })

  it('drops status fields that are no longer said', async () => {
    const fleet = await newFleet()
    await execute({ status: { ships: 1, sunk: 2 } }, fleet)
    const after = await sea.client.get(FleetType, fleet.metadata)
    await execute({ status: { ships: 3 } }, after ?? fleet)
    expect((await sea.client.get(FleetType, fleet.metadata))?.status).toEqual({ ships: 3 })
  })

  it('refuses names that are taken, for create and apply alike', async () => {
    const [owner, other] = [await newFleet(), await newFleet()]
    const taken = { ...shipOf(other), metadata: { ...shipOf(other).metadata, name: 'taken' } }
    await sea.client.create(ShipType, taken)
    for (const op of ['create', 'apply'] as const) {
      const { failures } = await execute({ writes: [{ op, object: { ...shipOf(owner), metadata: { ...shipOf(owner).metadata, name: 'taken' } } }] }, owner)
      expect(String(failures[0])).toContain(`Ship a/taken already exists and is controlled by Fleet ${other.metadata.name}`)
    }
  })

  it('takes off our finalizer, behind that of somebody else, and leaves the rest', async () => {
    const fleet = await newFleet()
    const ship = shipOf(fleet)
    const { uid } = (await sea.client.create(ShipType, { ...ship, metadata: { ...ship.metadata, finalizers: ['else.dev/hold', 'tests.dev/hold'] } })).metadata
    const ref = { ...shipRef(ship.metadata.name), ...(uid === undefined ? {} : { uid }) }
    const plan: Partial<Plan> = { writes: [{ op: 'remove', ref }, { op: 'release', ref, finalizer: 'tests.dev/hold' }] }
    expect((await execute(plan, fleet)).failures).toEqual([])
    const left = await find(ship.metadata.name)
    expect([left?.metadata.finalizers, left?.metadata.deletionTimestamp === undefined]).toEqual([['else.dev/hold'], false])
    expect((await execute(plan, fleet)).failures).toEqual([])
  })

  it('removes the object that was meant and spares its successor', async () => {
    const fleet = await newFleet()
    const { uid } = (await sea.client.create(ShipType, shipOf(fleet))).metadata
    const ref = { ...shipRef(shipOf(fleet).metadata.name), ...(uid === undefined ? {} : { uid }) }
    await execute({ writes: [{ op: 'remove', ref }] }, fleet)
    const successor = await sea.client.create(ShipType, shipOf(fleet))
    expect((await execute({ writes: [{ op: 'remove', ref }] }, fleet)).failures).toEqual([])
    expect((await find(ref.name))?.metadata.uid).toBe(successor.metadata.uid)
  })

  it('tells of a write the API server refuses by its own words', async () => {
    const fleet = await newFleet()
    const told: EventIntent[] = []
    const ship = { ...shipOf(fleet), metadata: { ...shipOf(fleet).metadata, name: 'Not_A_Name' } }
    await execute({ writes: [{ op: 'create', object: ship }] }, fleet, (event) => told.push(event))
    expect(told).toMatchObject([{ reason: 'WriteFailed', note: expect.stringContaining('Not_A_Name') }])
  })
})

describe('events on a real API server', () => {
  it('are one object however often they repeat, with the count of the series', async () => {
    const fleet = await newFleet()
    const recorder = new EventRecorder({ client: sea.client, world: realWorld, log: silentLog, reporter: { controller: 'tests.dev/fleet', instance: 'pod-a' } })
    for (let repeat = 0; repeat < 5; repeat += 1) {
      recorder.record(fleet, { type: 'Warning', reason: 'Sunk', action: 'StartShip', note: 'the ship sank' })
      await delay(20)
    }
    await recorder.flush(5_000)
    const { items } = await sea.client.list(EventType, { namespace: 'a', fieldSelector: 'reason=Sunk' })
    expect(items).toMatchObject([{ note: 'the ship sank', regarding: { name: fleet.metadata.name }, series: { count: 5 } }])
  })
})

describe('a whole operator on a real API server', () => {
  let manager: Manager
  const startOperator = async (): Promise<void> => {
    manager = createManager({
      connection: sea.connection, world: realWorld, log: silentLog,
      pod: { name: 'one', uid: 'u1', namespace: 'a' },
      leaseName: 'leader', fieldManager: 'fleet-operator',
      controllers: [fleetController()],
      http: { host: '127.0.0.1', port: 0 },
    })
    await manager.start()
  }
  beforeAll(startOperator)
  afterAll(() => manager.stop())

  const ships = async (fleet: Fleet): Promise<string[]> =>
    (await sea.client.list(ShipType, { namespace: 'a' })).items.filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === fleet.metadata.uid).map(({ metadata }) => metadata.name)
  const settles = (fleet: Fleet, size: number) =>
    waitUntil(`${fleet.metadata.name} has ${size} ships and says so`, 60_000, async () =>
      (await ships(fleet)).length === size && (await sea.client.get(FleetType, fleet.metadata))?.status?.ships === size)

  it('follows the wish, repairs what is deleted, and then writes nothing', async () => {
    const fleet = await newFleet(3)
    await settles(fleet, 3)
    await sea.client.remove(ShipType, { namespace: 'a', name: `${fleet.metadata.name}-1` })
    await settles(fleet, 3)
    await sea.client.patch(FleetType, fleet.metadata, { contentType: 'application/merge-patch+json', body: { spec: { size: 1 } } })
    await settles(fleet, 1)
    await delay(500)
    const before = await sea.client.get(FleetType, fleet.metadata)
    for (let wake = 0; wake < 5; wake += 1) manager.runtime.enqueue('fleet', { namespace: 'a', name: fleet.metadata.name })
    await delay(1_000)
    expect((await sea.client.get(FleetType, fleet.metadata))?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion)
  })

  it('goes on after the API server was restarted', async () => {
    const fleet = await newFleet(1)
    await settles(fleet, 1)
    await sea.plane.restartApiServer()
    if (!manager.runtime.isLeading()) {
      // The restart took longer than the lease may go without renewal: the kubelet starts the container again.
      await manager.stop()
      await startOperator()
    }
    await sea.client.patch(FleetType, fleet.metadata, { contentType: 'application/merge-patch+json', body: { spec: { size: 2 } } })
    await settles(fleet, 2)
  })
})
