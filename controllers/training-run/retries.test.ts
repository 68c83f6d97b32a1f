import { describe, expect, it } from 'vitest'
import { backoffSeconds, secondsLeft } from '../jobs/backoff.ts'
import { aRecord, NOON } from '../../test/world/training-run.ts'
import { nextAfter } from './retries.ts'

describe('what follows an attempt', () => {
  it.each([
    ['nothing yet', [], { kind: 'Attempt', afterSeconds: 0 }],
    ['a suspension', [aRecord(1, 'Failed'), aRecord(2, 'Suspended')], { kind: 'Attempt', afterSeconds: 0 }],
    ['a preemption that got further', [aRecord(1, 'Preempted', { lastStep: 5 })], { kind: 'Attempt', afterSeconds: 0 }],
    ['a second preemption that got no further', [aRecord(1, 'Preempted'), aRecord(2, 'Preempted')], { kind: 'Attempt', afterSeconds: 10 }],
    ['a first failure', [aRecord(1, 'Failed')], { kind: 'Attempt', afterSeconds: 10 }],
    ['a third failure, preemptions between', [aRecord(1, 'Failed'), aRecord(2, 'Preempted', { lastStep: 5 }), aRecord(3, 'Failed'), aRecord(4, 'Failed')], { kind: 'Attempt', afterSeconds: 40 }],
    ['one failure too many', [1, 2, 3, 4].map((number) => aRecord(number, 'Failed', { lastStep: number })), { kind: 'GiveUp', why: 'RetriesExhausted' }],
    ['a reason this version does not know', [aRecord(1, 'Failed', { reason: 'Novel' })], { kind: 'Attempt', afterSeconds: 10 }],
    ['CUDA out of memory', [aRecord(1, 'Failed', { reason: 'CUDAOutOfMemory', perDevice: 4 })], { kind: 'Attempt', afterSeconds: 0 }],
    ['CUDA out of memory again and again, in smaller passes', [64, 32, 16, 8, 4, 2].map((perDevice, i) => aRecord(i + 1, 'Failed', { reason: 'CUDAOutOfMemory', perDevice })), { kind: 'Attempt', afterSeconds: 0 }],
    ['CUDA out of memory with one row', [aRecord(1, 'Failed', { reason: 'CUDAOutOfMemory', perDevice: 1 })], { kind: 'GiveUp', why: 'Never' }],
    ['a stalled engine', [aRecord(1, 'Failed', { reason: 'EngineStalled' })], { kind: 'Attempt', afterSeconds: 10 }],
    ['divergence', [aRecord(1, 'Failed', { reason: 'Diverged' })], { kind: 'GiveUp', why: 'Never' }],
    ['a spent budget', [aRecord(1, 'Suspended', { reason: 'BudgetExceeded' })], { kind: 'Attempt', afterSeconds: 0 }],
    ['five preemptions, the last with a smaller micro-batch', [4, 4, 4, 4, 2].map((perDevice, i) => aRecord(i + 1, 'Preempted', { perDevice })), { kind: 'Attempt', afterSeconds: 0 }],
    ['five preemptions that got no further', [2, 2, 2, 2, 2].map((perDevice, i) => aRecord(i + 1, 'Preempted', { perDevice })), { kind: 'GiveUp', why: 'NoProgress' }],
    ['bad data', [aRecord(1, 'Failed', { reason: 'InvalidData' })], { kind: 'GiveUp', why: 'Never' }],
  ])('%s', (_what, records, next) => {
    expect(nextAfter(records, 3)).toEqual(next)
  })
})

describe('a pause', () => {
  it('doubles up to five minutes', () => {
    expect([0, 1, 2, 3, 5, 6, 99].map(backoffSeconds)).toEqual([0, 10, 20, 40, 160, 300, 300])
  })

  it('is over after its time, and where nobody knows when it began', () => {
    const since = '2026-01-01T11:59:55Z'
    expect([secondsLeft(since, 10, NOON), secondsLeft(since, 5, NOON), secondsLeft(undefined, 10, NOON)]).toEqual([5, 0, 0])
  })
})
