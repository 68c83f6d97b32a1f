import { describe, expect, it } from 'vitest'
import { aRecord } from '../../test/world/training-run.ts'
import { accumulationFor, isOutOfMemoryForGood, microBatchAfter } from './micro-batch.ts'

const outOfMemory = (perDevice: number) => aRecord(1, 'Failed', { reason: 'CUDAOutOfMemory', perDevice })

describe('the micro-batch', () => {
  it.each([
    ['is what the specification says', undefined, 4],
    ['stays after any other end', aRecord(1, 'Failed', { perDevice: 2 }), 2],
    ['stays what it was when a smaller one was preempted', aRecord(3, 'Preempted', { perDevice: 1 }), 1],
    ['is taken from the specification where the record is older than the field', aRecord(1, 'Preempted'), 4],
    ['halves after CUDA out of memory', outOfMemory(4), 2],
    ['is the largest proper divisor of an odd number', outOfMemory(9), 3],
    ['is 1 after a prime number', outOfMemory(7), 1],
    ['has nothing smaller than 1', outOfMemory(1), 1],
  ])('%s', (_what, last, rows) => {
    expect(microBatchAfter(last, 4)).toBe(rows)
  })

  it.each([1, 2, 3, 6, 12])('of %i leaves the rows of a step as they are', (rows) => {
    expect(rows * accumulationFor(rows, { perDevice: 12, gradientAccumulation: 5 })).toBe(60)
  })

  it('is too large for good only at 1', () => {
    expect([outOfMemory(1), outOfMemory(2), aRecord(1, 'Failed', { perDevice: 1 })].map(isOutOfMemoryForGood)).toEqual([true, false, false])
  })
})
