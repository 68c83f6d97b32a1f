import { describe, expect, it } from 'vitest'
import { ApiError, TransportError } from '../api/errors.ts'
import type { KubeObject } from '../api/object.ts'
import type { Client } from '../api/resource.ts'
import type { EventIntent } from '../control/plan.ts'
import { FakeApiServer } from '../testing/fake-api-server.ts'
import { createFakeWorld } from '../testing/fake-world.ts'
import { aFleet } from '../testing/fleet.ts'
import { EventRecorder, type Event } from './events.ts'
import { silentLog } from './log.ts'

const MINUTE_MS = 60_000
const failed: EventIntent = { type: 'Warning', reason: 'Failed', action: 'StartShip', note: 'the ship sank' }
const fleet = aFleet(1, { uid: 'u1' })

function aRecorder(fault: () => Promise<never> | undefined = () => undefined) {
  const world = createFakeWorld()
  const server = new FakeApiServer(world)
  const inner = server.connect()
  const calls: string[] = []
  const dropped = { count: 0 }
  const called = (call: string): Promise<never> | undefined => {
    calls.push(call)
    return fault()
  }
  const client: Pick<Client, 'create' | 'patch'> = {
    create: (...args) => called('create') ?? inner.create(...args),
    patch: (...args) => called('patch') ?? inner.patch(...args),
  }
  const recorder = new EventRecorder({ client, world, log: silentLog, reporter: { controller: 'tests', instance: 'pod-a' }, dropped: () => void (dropped.count += 1) })
  const events = (): Event[] => server.all() as readonly KubeObject[] as Event[]
  return { world, server, recorder, calls, dropped, events }
}

describe('an event', () => {
  it('is written as events.k8s.io wants it', async () => {
    const { world, recorder, events } = aRecorder()
    recorder.record(fleet, { ...failed, related: { apiVersion: 'example.dev/v1', kind: 'Ship', namespace: 'a', name: 'fleet-0' } })
    await world.settle()
    expect(events()).toMatchObject([{
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace: 'a', name: 'fleet.8000000000000001' },
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'tests',
      reportingInstance: 'pod-a',
      type: 'Warning', reason: 'Failed', action: 'StartShip', note: 'the ship sank',
      regarding: { apiVersion: 'example.dev/v1', kind: 'Fleet', namespace: 'a', name: 'fleet', uid: 'u1' },
      related: { kind: 'Ship', name: 'fleet-0' },
    }])
    expect(events()[0]).not.toHaveProperty('series')
  })

  it('about an object without a namespace is written to default, and a long note is cut', async () => {
    const { world, recorder, events } = aRecorder()
    recorder.record({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } }, { ...failed, note: 'x'.repeat(2_000) })
    await world.settle()
    expect([events()[0]?.metadata.namespace, Buffer.byteLength(events()[0]?.note ?? '')]).toEqual(['default', 1024])
  })

  it('has a note of at most 1024 bytes, as the API server counts, and no half character in it', async () => {
    const { world, recorder, events } = aRecorder()
    recorder.record(fleet, { ...failed, note: `a${'é'.repeat(1_000)}` })
    await world.settle()
    expect(events()[0]?.note).toBe(`a${'é'.repeat(510)}…`)
  })
})

describe('an event that repeats', () => {
  it('becomes a series at its first repeat, and then counts in memory', async () => {
    const { world, recorder, calls, events } = aRecorder()
    for (let repeat = 0; repeat < 5; repeat += 1) {
      recorder.record(fleet, failed)
      await world.advance(1_000)
    }
    expect(calls).toEqual(['create', 'patch'])
    expect(events()[0]?.series).toEqual({ count: 2, lastObservedTime: '2026-01-01T00:00:01.000000Z' })
  })

  it('counts repeats that come while it is still being created', async () => {
    const { world, recorder, events } = aRecorder(() => {
      if (repeats === 0) recorder.record(fleet, failed)
      repeats += 1
      return undefined
    })
    let repeats = 0
    recorder.record(fleet, failed)
    await world.settle()
    expect(events().map(({ series }) => series?.count)).toEqual([2])
  })

  it('is one series whatever the note says, and another for another reason or object', async () => {
    const { world, recorder, events } = aRecorder()
    recorder.record(fleet, failed)
    recorder.record(fleet, { ...failed, note: 'the second ship sank' })
    recorder.record(fleet, { ...failed, reason: 'Lost' })
    recorder.record(aFleet(1, { uid: 'u2' }), failed)
    await world.settle()
    expect(events()).toHaveLength(3)
  })

  it('is written every half hour while it goes on', async () => {
    const { world, recorder, calls, events } = aRecorder()
    for (let minute = 0; minute <= 62; minute += 1) {
      recorder.record(fleet, failed)
      await world.advance(MINUTE_MS)
    }
    expect(calls).toEqual(['create', 'patch', 'patch', 'patch'])
    expect(events()[0]?.series?.count).toBeGreaterThan(60)
  })

  it('is over after six quiet minutes: the final count is written, and the next one is a new event', async () => {
    const { world, recorder, events } = aRecorder()
    for (let repeat = 0; repeat < 4; repeat += 1) recorder.record(fleet, failed)
    await world.settle()
    recorder.record(fleet, failed)
    await world.advance(8 * MINUTE_MS)
    expect(events().map(({ series }) => series?.count)).toEqual([5])
    recorder.record(fleet, failed)
    await world.settle()
    expect(events().map(({ series }) => series?.count)).toEqual([5, undefined])
  })

  it('is written anew where the server has forgotten it', async () => {
    const { world, server, recorder, events } = aRecorder()
    recorder.record(fleet, failed)
    await world.settle()
    for (const event of events()) server.remove({ ...event, ...event.metadata })
    recorder.record(fleet, failed)
    await world.settle()
    expect(events().map(({ series }) => series?.count)).toEqual([2])
  })
})

describe('an API server in trouble', () => {
  it('is tried again, at most twelve times, about ten seconds apart', async () => {
    const { world, recorder, calls, dropped } = aRecorder(() => Promise.reject(new TransportError('UNREACHABLE')))
    recorder.record(fleet, failed)
    await world.advance(11 * 7_400)
    expect(calls.length).toBeLessThan(12)
    await world.advance(11 * 12_500)
    expect([calls.length, dropped.count]).toEqual([12, 1])
  })

  it('is not tried again after a refusal, such as in a namespace that is going away', async () => {
    const refusal = new ApiError({ code: 403, reason: 'Forbidden', message: 'namespace a is being terminated' })
    const { world, recorder, calls, dropped } = aRecorder(() => Promise.reject(refusal))
    recorder.record(fleet, failed)
    await world.advance(10 * MINUTE_MS)
    expect([calls.length, dropped.count]).toEqual([1, 1])
  })

  it('makes the thousand-and-first waiting event disappear, not a reconcile wait', async () => {
    const { world, recorder, dropped, events } = aRecorder()
    for (let number = 0; number < 1_005; number += 1) recorder.record(fleet, { ...failed, reason: `Failed${number}` })
    expect(dropped.count).toBe(5)
    for (let turn = 0; turn < 300; turn += 1) await world.settle()
    expect([events().length, events().at(-1)?.reason]).toEqual([1_000, 'Failed999'])
  })
})

describe('flushing at the end', () => {
  it('writes what waits and the counts so far', async () => {
    const { recorder, events } = aRecorder()
    for (let repeat = 0; repeat < 3; repeat += 1) recorder.record(fleet, failed)
    recorder.record(fleet, { ...failed, reason: 'Lost' })
    await recorder.flush(2_000)
    expect(events().map(({ reason, series }) => [reason, series?.count])).toEqual([['Failed', 3], ['Lost', undefined]])
  })

  it('ends in time though the API server does not answer', async () => {
    const { world, recorder } = aRecorder(() => new Promise<never>(() => undefined))
    recorder.record(fleet, failed)
    let isOver = false
    const flushing = recorder.flush(2_000).then(() => (isOver = true))
    await world.advance(1_999)
    expect(isOver).toBe(false)
    await world.advance(1)
    await flushing
  })

  it('does not retry', async () => {
    const { world, recorder, calls } = aRecorder(() => Promise.reject(new TransportError('UNREACHABLE')))
    recorder.record(fleet, failed)
    await world.settle()
    await recorder.flush(2_000)
    expect(calls).toHaveLength(2)
  })
})
