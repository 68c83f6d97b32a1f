// Two replicas and one Lease on a real API server, one of them standing still as under SIGSTOP.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient } from '../../operator/api/resource.ts'
import { createTransport } from '../../operator/api/transport.ts'
import { Election, LeaseType } from '../../operator/lease/election.ts'
import { createFence } from '../../operator/lease/fence.ts'
import { silentLog } from '../../operator/observe/log.ts'
import { aFleet, FleetType } from '../../operator/testing/fleet.ts'
import { realWorld, type World } from '../../operator/world.ts'
import { waitUntil } from '../cluster/exec.ts'
import { startFleetWorld, type FleetWorld } from './fleet-world.ts'

const LEASE_AND_RETRY_MS = 17_000
const SLACK_MS = 8_000 // of a busy machine: requests, timers and processes take their time
const cleanUps: (() => Promise<void>)[] = []

let sea: FleetWorld
beforeAll(async () => {
  sea = await startFleetWorld('election')
})
afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp()
  await sea.stop()
})

/** The real world, in which this process can be made to stand still: no timer fires until it goes on. */
function createPausableWorld(): World & { pause(): void; resume(): void } {
  let going = Promise.resolve()
  let goOn = (): void => undefined
  return {
    ...realWorld,
    sleep: async (ms, signal) => {
      await realWorld.sleep(ms, signal)
      await going
    },
    pause: () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      going = promise
      goOn = resolve
    },
    resume: () => goOn(),
  }
}

function aReplica(lease: string, name: string) {
  const world = createPausableWorld()
  const log: string[] = []
  const fence = createFence(world)
  const transport = createTransport({ connection: sea.connection, world })
  const election = new Election({
    client: createClient(transport, { world }), world, log: silentLog, fence,
    lease: { namespace: 'a', name: lease }, identity: `${name}_u1`,
    startedLeading: () => log.push('leads'), lost: () => log.push('lost'),
  })
  election.start()
  cleanUps.push(async () => {
    world.resume()
    await election.release()
    await transport.close()
  })
  return { world, log, election, client: createClient(transport, { world, mayWrite: fence.mayWrite }) }
}

const leads = (replica: ReturnType<typeof aReplica>, limitMs = 30_000) =>
  waitUntil('the replica leads', limitMs, async () => replica.election.isLeading())

describe('two replicas', () => {
  it('hand over within lease and retry when the leader stands still, and that one writes nothing when it wakes up', async () => {
    const one = aReplica('paused', 'one')
    await leads(one)
    const two = aReplica('paused', 'two')
    await one.client.create(FleetType, aFleet(0, { name: 'by-one' }))
    one.world.pause()
    const pausedMs = performance.now()
    await leads(two)
    expect(performance.now() - pausedMs).toBeLessThan(LEASE_AND_RETRY_MS + SLACK_MS)
    await expect(one.client.create(FleetType, aFleet(0, { name: 'too-late' }))).rejects.toThrow('so this replica writes nothing')
    await two.client.create(FleetType, aFleet(0, { name: 'by-two' }))
    one.world.resume()
    await waitUntil('the first replica notices', 60_000, async () => one.log.includes('lost'))
    expect((await sea.client.get(LeaseType, { namespace: 'a', name: 'paused' }))?.spec).toMatchObject({ holderIdentity: 'two_u1', leaseTransitions: 1 })
  })

  it('hand over within seconds when the leader stops cleanly', async () => {
    const one = aReplica('clean', 'one')
    await leads(one)
    const two = aReplica('clean', 'two')
    await one.election.release()
    await leads(two, 2_000 + SLACK_MS)
    expect(one.log).toEqual(['leads'])
  })

  it('never lead together, though ten start at once', async () => {
    const replicas = Array.from({ length: 10 }, (_, number) => aReplica('crowd', `r${number}`))
    await waitUntil('one leads', 60_000, async () => replicas.some(({ election }) => election.isLeading()))
    await realWorld.sleep(5_000)
    expect(replicas.filter(({ election }) => election.isLeading())).toHaveLength(1)
  })

  it('a restarted container takes its own lease back at once', async () => {
    const before = aReplica('restart', 'one')
    await leads(before)
    before.world.pause()
    await leads(aReplica('restart', 'one'), SLACK_MS)
  })
})
