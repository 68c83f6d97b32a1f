import { describe, expect, it } from 'vitest'
import { resourceType } from '../api/object.ts'
import { createFakeWorld } from '../testing/fake-world.ts'
import { ConsistencyGate } from './gate.ts'

const Job = resourceType({ apiVersion: 'batch/v1', kind: 'Job', plural: 'jobs', scope: 'Namespaced' })
const Pod = resourceType({ apiVersion: 'v1', kind: 'Pod', plural: 'pods', scope: 'Namespaced' })

function aGate() {
  const world = createFakeWorld()
  const gaveUp: string[] = []
  const gate = new ConsistencyGate(world, ({ kind }) => gaveUp.push(kind))
  const removals = gate.track(Job)
  gate.track(Pod)
  return { world, gate, gaveUp, removals }
}

describe('the consistency gate', () => {
  it('is open before anything was written, and for kinds that nobody caches', async () => {
    const { gate } = aGate()
    const Lease = resourceType({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases', scope: 'Namespaced' })
    gate.wrote({ type: Lease, resourceVersion: '7' })
    expect(await gate.ready([Job, Lease])).toBe(true)
  })

  it('opens as soon as the cache has seen our write, by whichever event', async () => {
    const { gate, world } = aGate()
    gate.observed(Job, '99')
    gate.wrote({ type: Job, resourceVersion: '1000' }) // longer, so newer, though "1000" < "99" as text
    let open: boolean | undefined
    void gate.ready([Job]).then((ready) => (open = ready))
    await world.advance(500)
    expect(open).toBeUndefined()
    gate.observed(Job, '1001')
    await world.settle()
    expect(open).toBe(true)
  })

  it('does not wait for kinds the reader does not look at', async () => {
    const { gate } = aGate()
    gate.wrote({ type: Job, resourceVersion: '7' })
    expect(await gate.ready([Pod])).toBe(true)
  })

  it('says not yet after two seconds', async () => {
    const { gate, world } = aGate()
    gate.wrote({ type: Job, resourceVersion: '7' })
    const ready = gate.ready([Job])
    await world.advance(2_000)
    expect(await ready).toBe(false)
  })

  it('gives up after a minute without any news of the kind, and says so', async () => {
    const { gate, world, gaveUp } = aGate()
    gate.wrote({ type: Job, resourceVersion: '7' })
    await world.advance(50_000)
    gate.observed(Job, '6') // news, though not enough
    await world.advance(20_000)
    const tooEarly = gate.ready([Job])
    await world.advance(2_000)
    expect(await tooEarly).toBe(false)
    gate.wrote({ type: Job, resourceVersion: '8' }) // our own writes are no news
    await world.advance(38_000)
    expect(await gate.ready([Job])).toBe(true)
    expect(gaveUp).toEqual(['Job'])
    expect(await gate.ready([Job])).toBe(true)
  })

  it('stays open where versions cannot be compared', async () => {
    const { gate } = aGate()
    gate.wrote({ type: Job, resourceVersion: 'opaque-b' })
    expect(await gate.ready([Job])).toBe(true)
    gate.observed(Job, 'opaque-a')
    expect(await gate.ready([Job])).toBe(true)
  })

  it('forgets what was written to a history that was replaced', async () => {
    const { gate } = aGate()
    gate.wrote({ type: Job, resourceVersion: '700' })
    gate.reset(Job)
    gate.observed(Job, '50')
    expect(await gate.ready([Job])).toBe(true)
  })

  it('ends the wait when its caller does', async () => {
    const { gate, world } = aGate()
    gate.wrote({ type: Job, resourceVersion: '7' })
    const caller = new AbortController()
    const ended = expect(gate.ready([Job], caller.signal)).rejects.toThrow('enough')
    caller.abort(new Error('enough'))
    await world.settle()
    await ended
  })

  it('remembers what we deleted until it is gone, and not for ever', async () => {
    const { gate, world, removals } = aGate()
    gate.wrote({ type: Job, deletedUid: 'seen-going' })
    gate.wrote({ type: Job, deletedUid: 'never-seen' })
    gate.gone(Job, 'seen-going')
    expect([...removals.keys()]).toEqual(['never-seen'])
    await world.advance(600_000)
    gate.wrote({ type: Job, deletedUid: 'later' })
    expect([...removals.keys()]).toEqual(['later'])
  })
})
