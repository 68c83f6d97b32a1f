import { array, assert, asyncProperty, constantFrom, nat } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConsistencyGate } from '../cache/gate.ts'
import { silentLog } from '../observe/log.ts'
import { FakeApiServer, type Death } from '../testing/fake-api-server.ts'
import { FakeCache } from '../testing/fake-cache.ts'
import { createFakeWorld } from '../testing/fake-world.ts'
import { aFleet, FleetType, fleetController, shipRef, ShipType, type Fleet } from '../testing/fleet.ts'
import { createExecutor } from './execute.ts'
import { createReconciler } from './reconcile.ts'

const key = { namespace: 'a', name: 'fleet' }
const moment = constantFrom('Before' as const, 'After' as const)

function aSea() {
  const world = createFakeWorld()
  const server = new FakeApiServer(world)
  /** One life of an operator process: passes until nothing is left to do, or until it dies. */
  const live = async (death?: Death): Promise<void> => {
    const gate = new ConsistencyGate(world)
    gate.track(ShipType)
    const cache = new FakeCache(server, gate)
    const client = server.connect({ onWrite: gate.wrote }, death)
    const execute = createExecutor({ client, cache, types: [FleetType, ShipType], fieldManager: 'tests', record: () => undefined, world })
    const reconcile = createReconciler({ controller: fleetController(), cache, gate, execute, world })
    for (let passes = 0; passes < 5; passes += 1) await reconcile(key, silentLog, new AbortController().signal)
  }
  const set = (size: number): void => void server.put({ ...(server.find({ ...aFleet(0), name: 'fleet', namespace: 'a' }) ?? aFleet(0)), spec: { size } } as Fleet)
  const ships = (): string[] => server.all().filter(({ kind }) => kind === 'Ship').map(({ metadata }) => metadata.name).sort()
  return { server, live, set, ships }
}

describe('a process killed between any two writes', () => {
  it('leaves what its successor completes to the same end, with no child made twice', async () => {
    const changes = array(nat({ max: 5 }), { minLength: 1, maxLength: 4 })
    const deaths = array(nat({ max: 6 }), { minLength: 1, maxLength: 6 })
    await assert(asyncProperty(changes, deaths, moment, async (sizes, atWrites, when) => {
      const { server, live, set, ships } = aSea()
      for (const [turn, size] of sizes.entries()) {
        set(size)
        for (const atWrite of atWrites) await live({ atWrite: atWrite + 1, moment: turn % 2 === 0 ? when : 'After' })
      }
      await live()
      const size = sizes.at(-1) ?? 0
      expect(ships()).toEqual(Array.from({ length: size }, (_, number) => `fleet-${number}`))
      expect(server.find({ ...shipRef('fleet'), kind: 'Fleet' })?.status).toEqual({ ships: size })
      const creations = server.writes.filter((write) => write.startsWith('create'))
      const removals = server.writes.filter((write) => write.startsWith('remove'))
      expect(creations.length - removals.length).toBe(size)
    }), { numRuns: 60 })
  })

  it('writes nothing more once the end is reached', async () => {
    const { server, live, set } = aSea()
    set(3)
    await live()
    const written = server.writes.length
    await live()
    expect(server.writes.length).toBe(written)
  })
})
