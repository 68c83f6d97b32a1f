import { describe, expect, it } from 'vitest'

import { createFakeWorld, type FakeWorld } from '../../operator/testing/fake-world.ts'
import { createFakeSecret, type FakeSecret } from '../testing/fake-secret.ts'
import { LEAF_LIFETIME_MS } from './certificate.ts'
import { createTlsKeeper, TLS_SECRET, type TlsKeeper } from './keeper.ts'

const MINUTE_MS = 60_000

type Replica = Readonly<{ keeper: TlsKeeper; rotations: string[]; failures: unknown[] }>

function aReplica(secret: FakeSecret, world: FakeWorld, role: 'leader' | 'standby'): Replica {
  const rotations: string[] = []
  const failures: unknown[] = []
  const keeper = createTlsKeeper({
    secret, world, names: ['swe-operator-artifacts.ns.svc'], isLeader: () => role === 'leader',
    rotated: (reason) => void rotations.push(reason), failed: (error) => void failures.push(error),
  })
  return { keeper, rotations, failures }
}

describe('two replicas that start at once', () => {
  it('serve the same certificate', async () => {
    const [secret, world] = [createFakeSecret(TLS_SECRET), createFakeWorld()]
    const [one, other] = [aReplica(secret, world, 'standby'), aReplica(secret, world, 'standby')]
    await Promise.all([one.keeper.load(), other.keeper.load()])
    expect(one.keeper.material()).toEqual(other.keeper.material())
    expect(secret.content()?.version).toBe('1')
  })
})

describe('a certificate that ages', () => {
  const arrange = async () => {
    const [secret, world] = [createFakeSecret(TLS_SECRET), createFakeWorld()]
    const [leader, standby] = [aReplica(secret, world, 'leader'), aReplica(secret, world, 'standby')]
    await leader.keeper.load()
    await standby.keeper.load()
    return { secret, world, leader, standby }
  }

  it('is renewed by the leader alone', async () => {
    const { secret, world, leader, standby } = await arrange()
    await world.advance(LEAF_LIFETIME_MS * 0.7)
    expect(await standby.keeper.load()).toBe(false)
    expect(await leader.keeper.load()).toBe(true)
    expect(secret.content()?.version).toBe('2')
    expect(leader.rotations).toEqual(['LeafAging'])
  })

  it('is served by the standby within a minute', async () => {
    const { world, leader, standby } = await arrange()
    const stop = new AbortController()
    const served: string[] = []
    await world.advance(LEAF_LIFETIME_MS * 0.7)
    const watching = standby.keeper.watch(({ certificate }) => void served.push(certificate), stop.signal)
    await leader.keeper.load()
    await world.advance(MINUTE_MS)
    expect(served).toEqual([leader.keeper.material().certificate])
    stop.abort()
    await watching
  })

  it('is still served while the API server is away', async () => {
    const { secret, world, leader } = await arrange()
    const before = leader.keeper.material()
    const stop = new AbortController()
    const watching = leader.keeper.watch(() => undefined, stop.signal)
    secret.failNext(new Error('no API server'))
    await world.advance(MINUTE_MS)
    expect(leader.keeper.material()).toEqual(before)
    expect(leader.failures).toHaveLength(1)
    stop.abort()
    await watching
  })
})

describe('a Secret that somebody emptied', () => {
  it('is filled again by whichever replica starts first', async () => {
    const [secret, world] = [createFakeSecret(TLS_SECRET), createFakeWorld()]
    secret.put({})
    const standby = aReplica(secret, world, 'standby')
    await standby.keeper.load()
    expect(standby.keeper.material().certificate).toContain('BEGIN CERTIFICATE')
    expect(standby.rotations).toEqual(['Unreadable'])
  })
})
