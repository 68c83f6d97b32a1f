import { beforeEach, describe, expect, it } from 'vitest'

import { createFakeWorld, type FakeWorld } from '../../operator/testing/fake-world.ts'
import { silentAfterSeconds } from '../training-run/pace.ts'
import { createProgressBook, type ProgressBook, type ReportingRun } from './progress-book.ts'
import type { Report } from './report.ts'

const run: ReportingRun = { kind: 'TrainingRun', namespace: 'team-a', name: 'tiny', uid: 'u1' }
const SECOND_MS = 1000

let world: FakeWorld
let book: ProgressBook
let wakeUps: number[]
let steps: number
let living: Set<string>

beforeEach(() => {
  ;[world, wakeUps, steps, living] = [createFakeWorld(), [], 0, new Set(['u1', 'u2', 'u3'])]
  book = createProgressBook({
    world, exists: ({ uid }) => living.has(uid),
    enqueue: (_, afterMs) => void wakeUps.push(world.monotonicMs() + afterMs),
    advanced: (_, count) => void (steps += count),
  })
})

const at = (step: number, totalSteps = 100): Report => ({ step, totalSteps, percent: step, metrics: [{ name: 'loss', value: '2.5' }] })

describe('the progress of a run', () => {
  it('is what its pod reported last', () => {
    book.record(run, 1, at(20))
    expect(book.of('u1')).toEqual({
      attempt: 1, step: 20, totalSteps: 100, percent: 20, updatedTime: '2026-01-01T00:00:00.000Z', metrics: [{ name: 'loss', value: '2.5' }],
    })
  })

  it('never goes back within an attempt', () => {
    book.record(run, 1, at(20))
    book.record(run, 1, at(10))
    expect(book.of('u1')).toMatchObject({ step: 20, percent: 20 })
  })

  it('may go back with a new attempt, which continues from a checkpoint', () => {
    book.record(run, 1, at(35))
    book.record(run, 2, at(21))
    expect(book.of('u1')).toMatchObject({ attempt: 2, step: 21, percent: 21 })
  })

  it('stays where it was until a resumed attempt says from which step it goes on', () => {
    book.record(run, 1, at(35))
    book.record(run, 2, { percent: 0, totalSteps: 100, metrics: [] })
    expect(book.of('u1')).toMatchObject({ attempt: 1, step: 35 })
    book.record(run, 2, at(31))
    expect(book.of('u1')).toMatchObject({ attempt: 2, step: 31 })
  })

  it('is not moved by a pod of an older attempt', () => {
    book.record(run, 2, at(21))
    book.record(run, 1, at(90))
    expect(book.of('u1')).toMatchObject({ attempt: 2, step: 21 })
  })

  it('is never complete by report alone: a preempted trainer claims that too', () => {
    book.record(run, 1, { percent: 100, metrics: [] })
    expect(book.of('u1')?.percent).toBe(99)
    book.record(run, 1, at(100))
    expect(book.of('u1')?.percent).toBe(99)
  })

  it('keeps the last metrics when a report brings none', () => {
    book.record(run, 1, at(20))
    book.record(run, 1, { percent: 21, metrics: [] })
    expect(book.of('u1')?.metrics).toEqual([{ name: 'loss', value: '2.5' }])
  })
})

describe('the estimate of what remains', () => {
  it('is missing until the attempt has shown its pace', () => {
    book.record(run, 1, { percent: 0, totalSteps: 100, metrics: [] })
    book.record(run, 1, at(10))
    expect(book.of('u1')).not.toHaveProperty('etaSeconds')
  })

  it('follows the pace of this attempt, not of the steps before it', async () => {
    book.record(run, 2, at(50))
    await world.advance(20 * SECOND_MS)
    book.record(run, 2, at(60))
    expect(book.of('u1')?.etaSeconds).toBe(80)
  })

  it('starts anew with each attempt', async () => {
    book.record(run, 1, at(10))
    await world.advance(10 * SECOND_MS)
    book.record(run, 2, at(20))
    expect(book.of('u1')).not.toHaveProperty('etaSeconds')
    await world.advance(10 * SECOND_MS)
    book.record(run, 2, at(30))
    expect(book.of('u1')?.etaSeconds).toBe(70)
  })
})

describe('the pace', () => {
  const reportEvery = async (attempt: number, seconds: readonly number[], from = 0): Promise<void> => {
    book.record(run, attempt, at(from))
    for (const [index, pause] of seconds.entries()) {
      await world.advance(pause * SECOND_MS)
      book.record(run, attempt, at(from + index + 1))
    }
  }

  it('is the median of the intervals, which one long evaluation does not move', async () => {
    await reportEvery(1, [4, 6, 900, 5, 5])
    expect(book.paceOf('u1')).toEqual({ attempt: 1, secondsPerStep: 5, intervals: 5 })
  })

  it('is unknown until a second step is reported, and counts steps that came without a report of their own', async () => {
    book.record(run, 1, { percent: 0, totalSteps: 100, metrics: [] })
    await world.advance(60 * SECOND_MS)
    book.record(run, 1, at(1))
    book.record(run, 1, at(1))
    expect(book.paceOf('u1')).toBeUndefined()
    await world.advance(40 * SECOND_MS)
    book.record(run, 1, at(5))
    expect(book.paceOf('u1')).toEqual({ attempt: 1, secondsPerStep: 10, intervals: 1 })
  })

  it('is that of the attempt alone, whose pod may be a faster one', async () => {
    await reportEvery(1, [60, 60, 60])
    await reportEvery(2, [2], 3)
    expect(book.paceOf('u1')).toEqual({ attempt: 2, secondsPerStep: 2, intervals: 1 })
  })

  it('forgets what is long ago', async () => {
    await reportEvery(1, [...Array.from({ length: 40 }, () => 100), ...Array.from({ length: 20 }, () => 1)])
    expect(book.paceOf('u1')).toEqual({ attempt: 1, secondsPerStep: 1, intervals: 31 })
  })

  it('says after how long without a report an attempt is silent: ten steps, and five minutes at least', () => {
    expect([undefined, 3, 30, 90].map((secondsPerStep) => silentAfterSeconds(secondsPerStep === undefined ? undefined : { attempt: 1, secondsPerStep, intervals: 9 })))
      .toEqual([300, 300, 300, 900])
  })
})

describe('a burst of reports', () => {
  it('wakes the controller at once and then every five seconds at most', async () => {
    for (let second = 0; second <= 12; second += 1) {
      book.record(run, 1, at(second))
      await world.advance(SECOND_MS)
    }
    expect(wakeUps).toEqual([0, 5_000, 10_000, 15_000])
  })

  it('leaves nothing unsaid: a wake-up follows the last report', async () => {
    book.record(run, 1, at(1))
    await world.advance(SECOND_MS)
    book.record(run, 1, at(2))
    expect(wakeUps).toEqual([0, 5_000])
  })

  it('counts each step once', () => {
    for (const step of [5, 3, 8, 8]) book.record(run, 1, at(step))
    book.record(run, 2, at(6))
    book.record(run, 2, at(9))
    expect(steps).toBe(6)
  })
})

describe('the memory of the book', () => {
  it('lets go of runs that are gone', () => {
    book.record(run, 1, at(1))
    living.delete('u1')
    book.record({ ...run, uid: 'u2' }, 1, at(1))
    expect(book.of('u1')).toBeUndefined()
    expect(book.of('u2')).toBeDefined()
  })
})
