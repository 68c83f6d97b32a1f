// Two replicas as processes of their own, one lease, a real API server; the leader is killed or stopped by a signal.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../operator/api/object.ts'
import { LeaseType } from '../../operator/lease/election.ts'
import { aFleet, FleetType, ShipType } from '../../operator/testing/fleet.ts'
import { waitUntil } from '../cluster/exec.ts'
import { startFleetWorld, type FleetWorld } from './fleet-world.ts'

const LEASE_AND_RETRY_MS = 17_000
const SLACK_MS = 3_000 // of a busy machine
const SHIPS = 400 // takes a second or two, so that a signal comes in the middle of a plan
const MINUTE_MS = 60_000

let sea: FleetWorld
let replicas: ChildProcess[] = []
beforeAll(async () => {
  sea = await startFleetWorld('process')
})
afterEach(() => {
  for (const replica of replicas.splice(0)) replica.kill('SIGKILL')
})
afterAll(() => sea.stop())

async function startReplica(lease: string, name: string): Promise<ChildProcess> {
  const env = { PATH: process.env['PATH'], KUBECONFIG: sea.plane.kubeconfigPath, REPLICA: name, LEASE: lease }
  const replica = spawn(process.execPath, [join(import.meta.dirname, 'replica-process.ts')], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  replicas.push(replica)
  return replica
}

const leads = (lease: string, name: string, limitMs = MINUTE_MS) =>
  waitUntil(`${name} leads`, limitMs, async () => {
    const held = await sea.client.get(LeaseType, { namespace: 'a', name: lease })
    return held?.spec?.holderIdentity === `${name}_u1`
  })

async function shipsOf(fleet: string): Promise<readonly (KubeObject & { metadata: { managedFields?: readonly { manager: string }[] } })[]> {
  const ships: KubeObject[] = []
  let page = await sea.client.list(ShipType)
  for (; ; page = await sea.client.list(ShipType, { continue: page.continue ?? '' })) {
    ships.push(...page.items)
    if (page.continue === undefined) break
  }
  return ships.filter(({ metadata }) => metadata.name.startsWith(`${fleet}-`))
}

const built = (fleet: string, atLeast: number) => waitUntil(`${atLeast} ships of ${fleet}`, MINUTE_MS, async () => (await shipsOf(fleet)).length >= atLeast)

const buildersOf = async (fleet: string): Promise<readonly string[]> =>
  [...new Set((await shipsOf(fleet)).flatMap(({ metadata }) => metadata.managedFields?.map(({ manager }) => manager) ?? []))].toSorted()

describe('the process that leads', () => {
  it('is replaced within lease and retry after SIGKILL in the middle of a plan, and its successor makes what is missing once', async () => {
    const one = await startReplica('killed', 'one')
    await leads('killed', 'one')
    await startReplica('killed', 'two')
    await sea.client.create(FleetType, aFleet(SHIPS, { name: 'killed' }))
    await built('killed', 1)
    one.kill('SIGKILL')
    const killedMs = performance.now()
    await leads('killed', 'two')
    expect(performance.now() - killedMs).toBeLessThan(LEASE_AND_RETRY_MS + SLACK_MS)
    await built('killed', SHIPS)
    expect([(await shipsOf('killed')).length, await buildersOf('killed')]).toEqual([SHIPS, ['one', 'two']])
  })

  it('writes nothing and ends with a failure when it goes on after another took over', async () => {
    const one = await startReplica('stopped', 'one')
    await leads('stopped', 'one')
    await startReplica('stopped', 'two')
    await sea.client.create(FleetType, aFleet(SHIPS, { name: 'stopped' }))
    await built('stopped', 1)
    one.kill('SIGSTOP')
    await leads('stopped', 'two')
    await built('stopped', SHIPS)
    await sea.client.create(FleetType, aFleet(SHIPS, { name: 'later' })) // the first one finds this in its sockets when it wakes up
    const ended = once(one, 'exit', { signal: AbortSignal.timeout(10_000) })
    one.kill('SIGCONT')
    expect(await ended).toEqual([1, null])
    await built('later', SHIPS)
    expect(await buildersOf('later')).toEqual(['two'])
  })
})
