import { describe, expect, it } from 'vitest'
import { ended, outcome } from '../../test/world/planned.ts'
import { anObservation, aRecord, failed } from '../../test/world/training-run.ts'
import { accumulationFor, isOutOfMemoryForGood, microBatchAfter } from './micro-batch.ts'
import { plan } from './plan.ts'

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

describe('a run whose GPU ran out of memory', () => {
  it('takes fewer rows at once after CUDA out of memory, and as many in a step', () => {
    const seen = anObservation({ batch: { perDevice: 4, gradientAccumulation: 4 } }).withData().attempt(1, ended(failed(1, 67, 'CUDAOutOfMemory')), aRecord(1, 'Running'))
    expect(outcome(seen)).toMatchObject({ state: 'Retrying', message: expect.stringContaining('follows at once, with micro-batch 4 → 2 and accumulation 4 → 8.') })
    expect(plan(seen).status).toMatchObject({ attempts: [{ state: 'Failed', reason: 'CUDAOutOfMemory', perDevice: 4 }] })
    const next = plan(seen.recorded().with({ attempts: [] }).recorded(aRecord(1, 'Failed', { reason: 'CUDAOutOfMemory', perDevice: 4 })))
    expect(JSON.stringify(next.writes)).toContain('{"name":"SWE_MICRO_BATCH","value":"2"}')
  })

  it('keeps the smaller micro-batch through what comes after', () => {
    const records = [aRecord(1, 'Failed', { reason: 'CUDAOutOfMemory', perDevice: 4 }), aRecord(2, 'Preempted', { perDevice: 2, lastStep: 9 })]
    const seen = anObservation({ batch: { perDevice: 4 } }).withData().recorded(...records).attempt(3, { kind: 'Running' })
    expect(plan(seen).status).toMatchObject({ attempts: [{ perDevice: 4 }, { perDevice: 2 }, { number: 3, perDevice: 2 }] })
  })

  it('ends when one row at once is too much for the GPU, with what can be done', () => {
    const first = aRecord(1, 'Failed', { reason: 'CUDAOutOfMemory', perDevice: 2 })
    const seen = anObservation({ batch: { perDevice: 2 } }).withData().recorded(first).attempt(2, ended(failed(2, 67, 'CUDAOutOfMemory')), aRecord(2, 'Running', { perDevice: 1 }))
    const { state, message } = outcome(seen)
    expect(state).toBe('CUDAOutOfMemory')
    for (const way of ['sequence.maxLength', 'lora.quantization', 'batch.gradientCheckpointing', 'compute.pool']) expect(message).toContain(way)
  })
})
