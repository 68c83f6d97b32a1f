// Two replicas as processes of their own, one lease, a real API server; the leader is killed, stopped or cut off.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../operator/api/object.ts'
import { LeaseType } from '../../operator/lease/election.ts'
import { RENEW_DEADLINE_MS } from '../../operator/lease/fence.ts'
import { aFleet, FleetType, ShipType } from '../../operator/testing/fleet.ts'
import { waitUntil } from '../cluster/exec.ts'
import { startFleetWorld, type FleetWorld } from './fleet-world.ts'

const RETRY_MS = 2_000
const LEASE_MS = 15_000
const LEASE_AND_RETRY_MS = LEASE_MS + RETRY_MS
const SLACK_MS = 10_000 // of a busy machine
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

function startReplica(lease: string, name: string, kubeconfig = sea.plane.kubeconfigPath): ChildProcess {
  const env = { PATH: process.env['PATH'], KUBECONFIG: kubeconfig, REPLICA: name, LEASE: lease }
  const replica = spawn(process.execPath, [join(import.meta.dirname, 'replica-process.ts')], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  replicas.push(replica)
  return replica
}

/** A way to the API server that can be made to lose every packet: nothing is refused, nothing answers. */
async function startPath() {
  const upstream = new URL(sea.plane.server)
  const sockets = new Set<Socket>()
  let isOpen = true
  const server = createServer((near) => {
    sockets.add(near)
    if (!isOpen) return
    const far = connect(Number(upstream.port), upstream.hostname)
    sockets.add(far)
    near.on('error', () => far.destroy()).pipe(far)
    far.on('error', () => near.destroy()).pipe(near)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const kubeconfig = join(tmpdir(), `swe-operator-path-${port}`)
  await writeFile(kubeconfig, (await readFile(sea.plane.kubeconfigPath, 'utf8')).replaceAll(`:${upstream.port}`, `:${port}`), { mode: 0o600 })
  const cut = (): void => sockets.forEach((socket) => socket.destroy())
  return {
    kubeconfig,
    block: () => {
      isOpen = false
      for (const socket of sockets) socket.unpipe()
    },
    unblock: () => {
      isOpen = true
      cut()
    },
    close: async () => {
      cut()
      server.close()
      await rm(kubeconfig)
    },
  }
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

const built = (fleet: string, atLeast: number, limitMs = MINUTE_MS) => waitUntil(`${atLeast} ships of ${fleet}`, limitMs, async () => (await shipsOf(fleet)).length >= atLeast)

const buildersOf = async (fleet: string): Promise<readonly string[]> =>
  [...new Set((await shipsOf(fleet)).flatMap(({ metadata }) => metadata.managedFields?.map(({ manager }) => manager) ?? []))].toSorted()

/** Replica `one`, in the middle of its plan for the fleet of this name, while `two` stands by. */
async function leadAndBegin(name: string): Promise<ChildProcess> {
  const one = startReplica(name, 'one')
  await leads(name, 'one')
  startReplica(name, 'two')
  await sea.client.create(FleetType, aFleet(SHIPS, { name }))
  await built(name, 1)
  return one
}

describe('the process that leads', () => {
  it('is replaced within lease and retry after SIGKILL in the middle of a plan, and its successor makes what is missing once', async () => {
    const one = await leadAndBegin('killed')
    one.kill('SIGKILL')
    const killedMs = performance.now()
    await leads('killed', 'two')
    expect(performance.now() - killedMs).toBeLessThan(LEASE_AND_RETRY_MS + SLACK_MS)
    await built('killed', SHIPS)
    expect([(await shipsOf('killed')).length, await buildersOf('killed')]).toEqual([SHIPS, ['one', 'two']])
  })

  it('writes nothing and ends with a failure when it goes on after another took over', async () => {
    const one = await leadAndBegin('stopped')
    one.kill('SIGSTOP')
    await leads('stopped', 'two')
    await built('stopped', SHIPS)
    await sea.client.create(FleetType, aFleet(SHIPS, { name: 'later' })) // the first one finds this in its sockets when it wakes up
    const ended = once(one, 'exit', { signal: AbortSignal.timeout(60_000) })
    one.kill('SIGCONT')
    expect(await ended).toEqual([1, null])
    await built('later', SHIPS)
    expect(await buildersOf('later')).toEqual(['two'])
  })

  it('finishes its plan on SIGTERM, hands over within seconds and ends with success', async () => {
    const one = await leadAndBegin('ended')
    const ended = once(one, 'exit', { signal: AbortSignal.timeout(60_000) })
    one.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
    await leads('ended', 'two', RETRY_MS + SLACK_MS)
    expect([(await shipsOf('ended')).length, await buildersOf('ended')]).toEqual([SHIPS, ['one']])
  })

  it('ends with a failure once the API server has not answered for ten seconds, and goes on at once when it is started again', async () => {
    const path = await startPath()
    try {
      const one = startReplica('unanswered', 'one', path.kubeconfig)
      await leads('unanswered', 'one')
      const ended = once(one, 'exit', { signal: AbortSignal.timeout(RENEW_DEADLINE_MS + SLACK_MS) })
      path.block()
      expect(await ended).toEqual([1, null])
      path.unblock()
      await sea.client.create(FleetType, aFleet(3, { name: 'unanswered' }))
      startReplica('unanswered', 'one', path.kubeconfig)
      await built('unanswered', 3, LEASE_MS - 1_000) // not what anybody else would wait
    } finally {
      await path.close()
    }
  })
})
