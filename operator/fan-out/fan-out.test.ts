import { describe, expect, it } from 'vitest'
import { aCluster, created, deaths, nameOf, ordinals, unitOf, untilDone, WORK_MS } from '../testing/fan-out-cluster.ts'
import type { Row, Task } from './task.ts'

describe('a fan-out', () => {
  it('settles every unit once, never with more pods at work than its window, and leaves no pod', async () => {
    const { world, rows, pods, open, most } = aCluster()
    const fanOut = open(20, 4)
    await fanOut.start([])
    await untilDone(world, fanOut)
    expect(ordinals(rows)).toEqual(Array.from({ length: 20 }, (_, ordinal) => ordinal))
    expect(most.pods).toBe(4)
    expect(pods()).toEqual([])
    expect(fanOut.progress()).toEqual({ total: 20, settled: 20, running: 0, lost: 0, isDone: true })
  })

  it('tells its owner that all is done, and leaves it to the rows to tell of themselves', async () => {
    const { world, open, told } = aCluster()
    const fanOut = open(20, 4)
    await fanOut.start([])
    await untilDone(world, fanOut)
    expect(told.times).toBe(1)
  })

  it('tells so too when the last unit had no pod any more', async () => {
    const { world, open, told, verdicts } = aCluster()
    verdicts.set('u-0-1', { ordinal: 0, attempt: 1 })
    const fanOut = open(1, 1)
    await fanOut.start([])
    await untilDone(world, fanOut)
    expect([fanOut.progress().isDone, told.times]).toEqual([true, 1])
  })

  it('keeps a pod until its row is recorded', async () => {
    const { world, pods, open } = aCluster()
    const stuck = { now: true }
    const fanOut = open(2, 2, { record: () => (stuck.now ? Promise.reject(new Error('no answer')) : Promise.resolve()) })
    await fanOut.start([])
    await world.advance(WORK_MS + 10_000)
    expect(pods()).toHaveLength(2)
    stuck.now = false
    await untilDone(world, fanOut)
    expect(pods()).toEqual([])
  })

  it('lets the pods of a burst go a few at a time, so that the next ones need not wait behind them', async () => {
    const { world, pods, open, removals } = aCluster()
    removals.tookMs = 100
    const fanOut = open(64, 32)
    await fanOut.start([])
    await untilDone(world, fanOut)
    expect([pods().length, removals.mostAtOnce]).toEqual([0, 2])
  })

  it('is not held up by a pod that nobody may delete, and tries again until it is gone', async () => {
    const { world, pods, open, removals } = aCluster()
    removals.refused.add('u-0-1')
    const fanOut = open(4, 2)
    await fanOut.start([])
    await world.advance(60_000)
    expect([pods().map(({ metadata }) => metadata.name), fanOut.progress().isDone]).toEqual([['u-0-1'], false])
    removals.refused.clear()
    await untilDone(world, fanOut)
    expect(pods()).toEqual([])
  })

  it('tries a unit again after a loss that is nobody’s verdict, and records the loss', async () => {
    const { world, rows, open, losing } = aCluster()
    losing.add('u-1-1')
    const fanOut = open(3, 3)
    await fanOut.start([])
    await untilDone(world, fanOut)
    expect(rows.filter(({ ordinal }) => ordinal === 1).map(({ attempt, code }) => `${attempt}${code}`)).toEqual(['1I', '2R'])
    expect(fanOut.progress().lost).toBe(1)
  })

  it('asks the store what became of a pod that somebody deleted', async () => {
    const { world, server, rows, open, verdicts } = aCluster()
    const fanOut = open(2, 2)
    await fanOut.start([])
    await world.advance(1_000)
    verdicts.set('u-0-1', { ordinal: 0, attempt: 1 })
    for (const name of ['u-0-1', 'u-1-1']) server.remove({ apiVersion: 'v1', kind: 'Pod', namespace: 'team', name })
    await untilDone(world, fanOut)
    expect(rows.filter(({ final }) => final).map(nameOf).sort()).toEqual(['u-0-1', 'u-1-2'])
  })

  it('starts no second pod of a unit whose first one the cache does not show', async () => {
    const { world, server, rows, open, cache, losing } = aCluster()
    losing.add('u-0-1') // the store knows nothing of it
    const fanOut = open(1, 1)
    cache.lag()
    await fanOut.start([])
    await world.advance(120_000)
    expect(server.writes.filter((write) => write.startsWith('create'))).toHaveLength(1)
    cache.catchUp()
    await untilDone(world, fanOut)
    expect(rows.map(nameOf)).toEqual(['u-0-1', 'u-0-2'])
  })

  it('starts none while its window is 0, and lets those that run finish', async () => {
    const { world, rows, pods, open } = aCluster()
    const fanOut = open(6, 2)
    await fanOut.start([])
    await world.advance(1_000)
    fanOut.resize(0)
    await world.advance(60_000)
    expect([rows.length, pods().length]).toEqual([2, 0])
    fanOut.resize(6)
    await untilDone(world, fanOut)
    expect(rows).toHaveLength(6)
  })

  it('says why no pod can be created, and goes on once it can', async () => {
    const { world, rows, open, quota } = aCluster()
    quota.isFull = true
    const fanOut = open(2, 2)
    await fanOut.start([])
    await world.advance(5_000)
    expect(fanOut.progress().blocked).toBe('exceeded quota: pods')
    quota.isFull = false
    await untilDone(world, fanOut)
    expect(rows).toHaveLength(2)
    expect(fanOut.progress().blocked).toBeUndefined()
  })
})

/** Units 0 to 3 are gates: 0 and 1 of the units 4 to 6, 2 and 3 of the units 7 to 9, which get no pod where a gate of theirs is `closed`. */
function withGates(rows: readonly Row[], closed: readonly number[] = []): Partial<Task> {
  const waitsFor = (ordinal: number): readonly number[] => (ordinal < 4 ? [] : ordinal < 7 ? [0, 1] : [2, 3])
  return {
    order: [0, 1, 4, 5, 6, 2, 3, 7, 8, 9],
    waitsFor,
    judgeUntried: (unit) => {
      expect(waitsFor(unit.ordinal).filter((gate) => !rows.some((row) => row.ordinal === gate && row.final))).toEqual([])
      return waitsFor(unit.ordinal).some((gate) => closed.includes(gate)) ? { row: { ...unit, code: 'V', final: true, seconds: 0 } } : undefined
    },
  }
}

describe('a fan-out whose units wait for each other', () => {
  it('starts them in the given order, each when what it waits for is recorded', async () => {
    const { world, server, rows, open } = aCluster()
    const fanOut = open(10, 2, withGates(rows))
    await fanOut.start([])
    await untilDone(world, fanOut)
    expect(ordinals(rows)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(created(server.writes).map((name) => unitOf(name).ordinal)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('delays by a gate that is lost only those behind it', async () => {
    const { world, rows, open, losing } = aCluster()
    for (const attempt of [1, 2, 3]) losing.add(`u-1-${attempt}`)
    const fanOut = open(10, 2, withGates(rows))
    await fanOut.start([])
    await untilDone(world, fanOut)
    const settled = rows.filter(({ final }) => final).map(({ ordinal }) => ordinal)
    expect(settled.indexOf(1)).toBeGreaterThan(settled.indexOf(9))
    expect(settled.slice(-3).toSorted()).toEqual([4, 5, 6])
  })

  it('settles without a pod what is judged untried, as many as there are', async () => {
    const { world, server, rows, open } = aCluster()
    const fanOut = open(5_000, 2, { waitsFor: (ordinal) => (ordinal === 0 ? [] : [0]), judgeUntried: (unit) => (unit.ordinal === 0 ? undefined : { row: { ...unit, code: 'V', final: true, seconds: 0 } }) })
    await fanOut.start([])
    await untilDone(world, fanOut)
    expect(created(server.writes)).toEqual(['u-0-1'])
    expect(fanOut.progress()).toMatchObject({ settled: 5_000, isDone: true })
    expect(rows).toHaveLength(5_000)
  })

  it('settles none of them while its window is 0', async () => {
    const { world, rows, open } = aCluster()
    const fanOut = open(10, 0, withGates(rows, [0, 2]))
    await fanOut.start([])
    await world.advance(60_000)
    expect(rows).toEqual([])
  })
})

describe('a fan-out whose process dies', () => {
  it.each(deaths)('at write $atWrite, $moment: its successor loses nothing and settles nothing twice', async (death) => {
    const { world, rows, pods, open, losing } = aCluster()
    losing.add('u-2-1')
    const first = open(6, 3, {}, death)
    await first.start([])
    await world.advance(7_000)
    await first.stop()
    await world.advance(20_000) // pods end while nobody looks
    const second = open(6, 3)
    await second.start(pods().map((pod) => [unitOf(pod.metadata.name), pod]))
    await untilDone(world, second)
    expect(ordinals(rows)).toEqual([0, 1, 2, 3, 4, 5])
    expect(pods()).toEqual([])
  })

  it.each(deaths)('at write $atWrite, $moment, with units that wait: none starts too early, and none that is to get no pod', async (death) => {
    const { world, server, rows, pods, open, losing } = aCluster()
    losing.add('u-1-1')
    const first = open(10, 3, withGates(rows, [2]), death)
    await first.start([])
    await world.advance(12_000)
    await first.stop()
    await world.advance(20_000)
    const second = open(10, 3, withGates(rows, [2]))
    await second.start(pods().map((pod) => [unitOf(pod.metadata.name), pod]))
    await untilDone(world, second)
    expect(ordinals(rows)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(rows.filter(({ code }) => code === 'V').map(({ ordinal }) => ordinal).sort()).toEqual([7, 8, 9])
    expect(created(server.writes).filter((name) => unitOf(name).ordinal >= 7)).toEqual([])
    expect(pods()).toEqual([])
  })
})
