import { describe, expect, it } from 'vitest'
import { ApiError } from '../api/errors.ts'
import type { Client } from '../api/resource.ts'
import { silentLog } from '../observe/log.ts'
import { FakeApiServer } from '../testing/fake-api-server.ts'
import { createFakeWorld, type FakeWorld } from '../testing/fake-world.ts'
import { Election, type Lease } from './election.ts'
import { createFence } from './fence.ts'

const lease = { namespace: 'ops', name: 'leader' }

function anElection() {
  const world = createFakeWorld()
  const server = new FakeApiServer(world)
  const log: string[] = []
  const replica = (name: string, uid = 'u1', client: Client = server.connect()) => {
    const own = world.replica()
    const fence = createFence(own)
    const election = new Election({
      client, world: own, log: silentLog, fence, lease, identity: `${name}_${uid}`,
      startedLeading: () => void log.push(`${name} leads`),
      lost: () => void log.push(`${name} lost`),
    })
    election.start()
    return { world: own, election, mayWrite: () => mayWrite(fence.mayWrite) }
  }
  const current = (): Lease['spec'] => (server.find({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...lease }) as Lease | undefined)?.spec
  return { world, server, log, replica, current }
}

/** A server that carries out at once what is asked, but takes its time to answer. */
function answeringAfter(client: Client, ms: number, world: FakeWorld): Client {
  return {
    ...client,
    patch: async (...call) => {
      const answer = await client.patch(...call)
      await world.sleep(ms)
      return answer as never
    },
  }
}

function mayWrite(check: () => void): boolean {
  try {
    check()
    return true
  } catch {
    return false
  }
}

/** Advances until the condition holds; the milliseconds it took. */
async function until(world: FakeWorld, holds: () => boolean, limitMs = 60_000): Promise<number> {
  for (let ms = 0; ms < limitMs; ms += 100) {
    if (holds()) return ms
    await world.advance(100)
  }
  return limitMs
}

describe('an election', () => {
  it('makes the first replica the leader at once and keeps the second waiting', async () => {
    const { world, log, replica, current } = anElection()
    const a = replica('a')
    await world.advance(0)
    const b = replica('b')
    await world.advance(120_000)
    expect([log, a.election.isLeading(), b.election.isLeading(), b.mayWrite()]).toEqual([['a leads'], true, false, false])
    expect(current()).toMatchObject({ holderIdentity: 'a_u1', leaseDurationSeconds: 15, leaseTransitions: 0 })
  })

  it('writes times with six decimals', async () => {
    const { world, replica, current } = anElection()
    replica('a')
    await world.advance(4_000)
    expect([current()?.acquireTime, current()?.renewTime]).toEqual(['2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:04.000000Z'])
  })

  it('never has two replicas that may write, however they stand still, end and start again', async () => {
    const { world, log, replica } = anElection()
    const replicas = [replica('a'), replica('b')]
    let together = 0
    for (let step = 0; step < 5_000; step += 1) {
      for (const [index, one] of replicas.entries()) {
        if (world.random() < 0.01) one.world.pause()
        if (world.random() < 0.005) one.world.resume()
        if (world.random() > 0.004) continue
        one.world.pause() // killed for good
        replicas[index] = replica('again', String(step))
      }
      await world.advance(100)
      if (replicas.filter((one) => one.mayWrite()).length > 1) together += 1
    }
    expect([together, log.filter((line) => line.endsWith('leads')).length > 5]).toEqual([0, true])
  })

  it('is taken over within lease and retry after the leader stands still; when that one wakes up, it writes nothing and ends', async () => {
    const { world, log, replica, current } = anElection()
    const a = replica('a')
    await world.advance(0)
    replica('b')
    await world.advance(30_000)
    a.world.pause()
    expect(await until(world, () => log.includes('b leads'))).toBeLessThanOrEqual(17_000)
    expect([a.election.isLeading(), a.mayWrite()]).toEqual([true, false])
    a.world.resume()
    await world.advance(2_000)
    expect([log, a.election.isLeading(), current()?.leaseTransitions]).toEqual([['a leads', 'b leads', 'a lost'], false, 1])
  })

  it('gives the lease back on a clean stop, so that the successor need not wait for it to expire', async () => {
    const { world, log, replica } = anElection()
    const a = replica('a')
    await world.advance(0)
    replica('b')
    await world.advance(10_000)
    await a.election.release()
    expect(a.mayWrite()).toBe(false)
    expect(await until(world, () => log.includes('b leads'))).toBeLessThanOrEqual(2_000)
    expect(log).not.toContain('a lost')
  })

  it('gives the lease back though it is being renewed at that very moment, and does not lead on by that renewal', async () => {
    const { world, server, log, replica, current } = anElection()
    const a = replica('a', 'u1', answeringAfter(server.connect(), 300, world))
    await world.advance(2_100) // the renewal of the second second is sent but not answered
    const released = a.election.release()
    await world.advance(600)
    await released
    expect([current()?.holderIdentity, a.mayWrite()]).toEqual(['', false])
    replica('b')
    await world.advance(1_000)
    expect(log).toEqual(['a leads', 'b leads'])
  })

  it('outlives a renewal that is never answered, as on a connection that nobody cuts', async () => {
    const { world, server, log, replica } = anElection()
    let patches = 0
    const client = server.connect()
    const a = replica('a', 'u1', { ...client, patch: (...call) => ((patches += 1) === 3 ? new Promise(() => undefined) : client.patch(...call)) })
    await world.advance(60_000)
    expect([log, a.mayWrite(), patches > 20]).toEqual([['a leads'], true, true])
  })

  it('writes nothing and ends as soon as it sees that another holds the lease', async () => {
    const { world, server, log, replica } = anElection()
    const a = replica('a')
    await world.advance(1_000)
    server.remove({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...lease }) // by somebody's hand
    const b = replica('b')
    expect(await until(world, () => b.election.isLeading())).toBeLessThanOrEqual(2_000)
    expect(await until(world, () => !a.mayWrite())).toBeLessThanOrEqual(4_000)
    await world.advance(0)
    expect(log).toEqual(['a leads', 'b leads', 'a lost'])
  })

  it('gives a restarted container its own lease back at once, and lets another pod of that name wait', async () => {
    const { world, log, replica } = anElection()
    const before = replica('a', 'u1')
    await world.advance(10_000)
    before.world.pause()
    log.length = 0
    const other = replica('a', 'u2')
    await world.advance(1_000)
    expect([log, other.election.isLeading()]).toEqual([[], false])
    replica('a', 'u1')
    await world.advance(0)
    expect(log).toEqual(['a leads'])
  })

  it('gives a free lease to one of two that reach for it at the same moment', async () => {
    const { world, server, log, replica } = anElection()
    server.create({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: lease, spec: { holderIdentity: '' } })
    const both = [replica('a'), replica('b')]
    await world.advance(0)
    expect([log.length, both.filter(({ election }) => election.isLeading()).length, both.filter((one) => one.mayWrite()).length]).toEqual([1, 1, 1])
  })

  it('trusts no clock but its own: a record from the future or the past is watched for a full lease', async () => {
    for (const renewTime of ['1999-01-01T00:00:00.000000Z', '2099-01-01T00:00:00.000000Z']) {
      const { world, server, log, replica } = anElection()
      server.create({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: lease, spec: { holderIdentity: 'x', leaseDurationSeconds: 15, renewTime } })
      replica('a')
      const tookMs = await until(world, () => log.length > 0)
      expect([tookMs >= 15_000, tookMs <= 17_000]).toEqual([true, true])
    }
  })

  it('does not take a lease that was merely labelled for renewed', async () => {
    const { world, server, log, replica } = anElection()
    server.create({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: lease, spec: { holderIdentity: 'x' } })
    replica('a')
    const ref = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...lease }
    for (let second = 0; second < 17; second += 1) {
      server.patch(ref, { contentType: 'application/merge-patch+json', body: { metadata: { labels: { second: String(second) } } } })
      await world.advance(1_000)
    }
    expect(log).toEqual(['a leads'])
  })
})

describe('a leader that cannot renew', () => {
  function aLeaderBehind(fault: () => Promise<never> | undefined) {
    const election = anElection()
    const client = election.server.connect()
    const faulty: Client = { ...client, get: (...args) => fault() ?? client.get(...args), patch: (...args) => fault() ?? client.patch(...args) }
    return { ...election, leader: election.replica('a', 'u1', faulty) }
  }

  it('survives a few failures, but stops writing and ends ten seconds after the last renewal', async () => {
    let down = false
    const error = new ApiError({ code: 500, reason: 'InternalError', message: 'down' })
    const { world, log, leader } = aLeaderBehind(() => (down ? Promise.reject(error) : undefined))
    await world.advance(20_000)
    down = true
    await world.advance(7_000)
    down = false
    await world.advance(3_000)
    expect([log, leader.mayWrite()]).toEqual([['a leads'], true])
    down = true
    await world.advance(10_001)
    expect([log, leader.mayWrite()]).toEqual([['a leads', 'a lost'], false])
  })

  it('gives up a call that never comes back', async () => {
    let hang = false
    const { world, log } = aLeaderBehind(() => (hang ? new Promise<never>(() => undefined) : undefined))
    await world.advance(20_000)
    hang = true
    await world.advance(10_001)
    expect(log).toEqual(['a leads', 'a lost'])
  })

  it('renews after its write took effect but the answer was lost', async () => {
    const { world, server, log, replica } = anElection()
    const client = server.connect()
    let lose = false
    const faulty: Client = {
      ...client,
      patch: async (...args) => {
        const written = await client.patch(...args)
        if (!lose) return written as never
        lose = false
        throw new Error('the connection was lost')
      },
    }
    const a = replica('a', 'u1', faulty)
    await world.advance(10_000)
    lose = true
    await world.advance(30_000)
    expect([log, a.mayWrite()]).toEqual([['a leads'], true])
  })

  it('counts the ten seconds from when a renewal was sent, not from its answer', async () => {
    const { world, server, replica } = anElection()
    const client = server.connect()
    let answerAfterMs = 0
    const slow: Client = {
      ...client,
      patch: async (...args) => {
        const written = await client.patch(...args)
        await world.sleep(answerAfterMs)
        return written as never
      },
    }
    const a = replica('a', 'u1', slow)
    await world.advance(10_000)
    answerAfterMs = 6_000
    await world.advance(8_000) // sent at 12 s, answered at 18 s
    answerAfterMs = 60_000
    await world.advance(3_999)
    expect(a.mayWrite()).toBe(true)
    await world.advance(2)
    expect(a.mayWrite()).toBe(false)
  })

  it('complains once its health check asks while the lease is held but old', async () => {
    const { world, replica } = anElection()
    const a = replica('a')
    await world.advance(5_000)
    expect(a.election.complaint()).toBeUndefined()
    a.world.pause()
    await world.advance(12_000)
    expect(a.election.complaint()).toBe('lease leader is held but could not be renewed for 13 s')
  })
})
