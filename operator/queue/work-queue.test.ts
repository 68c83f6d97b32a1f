import { array, assert, asyncProperty, constant, integer, nat, oneof, record } from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { createFakeWorld } from '../testing/fake-world.ts'
import { Heap } from './heap.ts'
import { LOW_PRIORITY, WorkQueue, type QueueObserver } from './work-queue.ts'

const ignore: QueueObserver = { taken: () => undefined, finished: () => undefined }

function aQueue(observer: QueueObserver = ignore) {
  const world = createFakeWorld()
  const queue = new WorkQueue(world, observer)
  const takeNow = async (): Promise<string[]> => {
    const taken: string[] = []
    for (let depth = total(queue); depth > 0; depth -= 1) taken.push((await queue.take())?.key ?? 'closed')
    return taken
  }
  return { world, queue, takeNow }
}

function total(queue: WorkQueue): number {
  return [...queue.snapshot().depth.values()].reduce((sum, depth) => sum + depth, 0)
}

describe('the work queue', () => {
  it('hands out keys in the order they came', async () => {
    const { queue, takeNow } = aQueue()
    for (const key of ['a', 'b', 'c']) queue.add(key)
    expect(await takeNow()).toEqual(['a', 'b', 'c'])
  })

  it('hands out a key once, however often it was added before', async () => {
    const { queue, takeNow } = aQueue()
    for (const key of ['a', 'b', 'a', 'a']) queue.add(key)
    expect(await takeNow()).toEqual(['a', 'b'])
  })

  it('does not hand out a key that is being worked on, and hands it out again if it was added meanwhile', async () => {
    const { queue, takeNow } = aQueue()
    queue.add('a')
    await queue.take()
    queue.add('a')
    queue.add('a')
    expect(await takeNow()).toEqual([])
    queue.done('a')
    expect(await takeNow()).toEqual(['a'])
    queue.done('a')
    expect(await takeNow()).toEqual([])
  })

  it('serves a fresh edit before a first list of thousands', async () => {
    const { queue, takeNow } = aQueue()
    for (let i = 0; i < 5_000; i += 1) queue.add(`old-${i}`, { priority: LOW_PRIORITY })
    queue.add('fresh')
    expect((await takeNow()).slice(0, 2)).toEqual(['fresh', 'old-0'])
  })

  it('keeps the higher priority of two adds of one key, and the place in line', async () => {
    const { queue, takeNow } = aQueue()
    queue.add('a', { priority: LOW_PRIORITY })
    queue.add('b')
    queue.add('a')
    queue.add('a', { priority: LOW_PRIORITY })
    expect(await takeNow()).toEqual(['a', 'b'])
  })

  it('hands out a delayed key when its time has come', async () => {
    const { world, queue, takeNow } = aQueue()
    queue.add('late', { afterMs: 60_000 })
    queue.add('soon', { afterMs: 1_000 })
    await world.advance(999)
    expect(await takeNow()).toEqual([])
    await world.advance(1)
    expect(await takeNow()).toEqual(['soon'])
    await world.advance(59_000)
    expect(await takeNow()).toEqual(['late'])
  })

  it('keeps the earlier time of two delays of one key', async () => {
    const { world, queue, takeNow } = aQueue()
    queue.add('a', { afterMs: 10_000 })
    queue.add('a', { afterMs: 1_000 })
    queue.add('a', { afterMs: 60_000 })
    await world.advance(1_000)
    expect(await takeNow()).toEqual(['a'])
    queue.done('a')
    await world.advance(120_000)
    expect(await takeNow()).toEqual([])
  })

  it('wakes a waiting worker for a delayed key', async () => {
    const { world, queue } = aQueue()
    const work = queue.take()
    queue.add('a', { afterMs: 86_400_000 })
    await world.advance(86_400_000)
    expect((await work)?.key).toBe('a')
  })

  it('does not remember delays that were overtaken, however long they were', async () => {
    const push = vi.spyOn(Heap.prototype, 'push')
    const { world, queue, takeNow } = aQueue()
    queue.add('sooner', { afterMs: 1_800_000 })
    for (let pass = 0; pass < 1_000; pass += 1) {
      queue.add('a', { afterMs: 3_600_000 })
      queue.add('a') // it changed meanwhile
      await queue.take()
      queue.done('a')
    }
    queue.add('a', { afterMs: 3_600_000 })
    const heaps = [...new Set(push.mock.contexts)].filter((heap) => heap instanceof Heap)
    push.mockRestore()
    expect(Math.max(...heaps.map(({ size }) => size))).toBeLessThan(100)
    await world.advance(3_600_000)
    expect(await takeNow()).toEqual(['sooner', 'a'])
  })

  it('holds a delay that was asked for while the key was worked on', async () => {
    const { world, queue, takeNow } = aQueue()
    queue.add('a')
    await queue.take()
    queue.add('a', { afterMs: 5_000 })
    queue.done('a')
    await world.advance(4_999)
    expect(await takeNow()).toEqual([])
    await world.advance(1)
    expect(await takeNow()).toEqual(['a'])
  })

  it('backs off a failing key longer each time, and at once again after it is forgotten', async () => {
    const { world, queue, takeNow } = aQueue()
    for (let i = 0; i < 10; i += 1) {
      queue.retry('a')
      await world.advance(5 * 2 ** i * 1.2)
      expect(await takeNow()).toEqual(['a'])
      queue.done('a')
    }
    queue.forget('a')
    queue.retry('a')
    await world.advance(6)
    expect(await takeNow()).toEqual(['a'])
  })

  it('lets a fresh add overtake the back-off', async () => {
    const { queue, takeNow } = aQueue()
    for (let i = 0; i < 10; i += 1) queue.retry('a')
    queue.add('a')
    expect(await takeNow()).toEqual(['a'])
  })

  it('closes when the last key handed out is done, and sends waiting workers home', async () => {
    const { queue, world } = aQueue()
    queue.add('a')
    queue.add('b')
    await queue.take()
    let closed = false
    const closing = queue.close().then(() => (closed = true))
    await world.settle()
    expect([closed, await queue.take()]).toEqual([false, undefined])
    queue.done('a')
    await closing
    queue.add('c')
    expect(await queue.take()).toBeUndefined()
  })

  it('shows how deep it is, how long work takes and how long keys waited', async () => {
    const seen: string[] = []
    const { world, queue } = aQueue({
      taken: (waitedMs) => seen.push(`taken after ${waitedMs}`),
      finished: (workedMs) => seen.push(`finished after ${workedMs}`),
    })
    for (const key of ['a', 'b', 'b']) queue.add(key, { priority: key === 'b' ? LOW_PRIORITY : 0 })
    await world.advance(10)
    await queue.take()
    await world.advance(20)
    expect(queue.snapshot()).toEqual({ depth: new Map([[LOW_PRIORITY, 1]]), adds: 2, retries: 0, unfinishedMs: 20, longestRunningMs: 20 })
    queue.done('a')
    queue.retry('a')
    expect(queue.snapshot()).toMatchObject({ adds: 3, retries: 1, unfinishedMs: 0 })
    expect(seen).toEqual(['taken after 10', 'finished after 20'])
  })
})

describe('under any sequence of adds, delays and steps of time', () => {
  const key = nat({ max: 3 }).map(String)
  const step = oneof(
    record({ op: constant('add'), key, priority: integer({ min: -1, max: 1 }), ms: oneof(constant(0), nat({ max: 50 })) }),
    record({ op: constant('done'), key, priority: constant(0), ms: constant(0) }),
    record({ op: constant('wait'), key, priority: constant(0), ms: nat({ max: 50 }) }),
  )

  it('no key is worked on twice at a time and no wake-up is lost', async () => {
    await assert(asyncProperty(array(step, { maxLength: 40 }), async (steps) => {
      const { world, queue } = aQueue()
      const working = new Set<string>()
      const owed = new Set<string>()
      const worker = async (): Promise<void> => {
        for (let work = await queue.take(); work; work = await queue.take()) {
          expect(working.has(work.key)).toBe(false)
          working.add(work.key)
          owed.delete(work.key)
        }
      }
      const workers = [worker(), worker()]
      const finish = (key: string): void => {
        working.delete(key)
        queue.done(key)
      }
      for (const { op, key, priority, ms } of steps) {
        if (op === 'add') {
          queue.add(key, { priority, afterMs: ms })
          owed.add(key)
        }
        if (op === 'done' && working.has(key)) finish(key)
        await (op === 'wait' ? world.advance(ms) : Promise.resolve())
      }
      for (let i = 0; i < 5; i += 1) {
        await world.advance(60)
        for (const key of working) finish(key)
      }
      expect([...owed]).toEqual([])
      await queue.close()
      await Promise.all(workers)
    }), { numRuns: 60 })
  })
})
