import { describe, expect, it } from 'vitest'
import { conditionOf, setConditions, type ConditionIntent } from './conditions.ts'

const NOON = new Date('2026-01-01T12:00:00.750Z')
const LATER = new Date('2026-01-01T13:00:00Z')
const ready: ConditionIntent = { type: 'Ready', status: 'False', reason: 'Starting', message: 'starting', observedGeneration: 1 }

describe('conditions', () => {
  it('carry the time of their first appearance in whole seconds', () => {
    expect(setConditions(undefined, [ready], NOON)[0]?.lastTransitionTime).toBe('2026-01-01T12:00:00Z')
  })

  it('keep the time of the last transition while only reason and message change', () => {
    const before = setConditions(undefined, [ready], NOON)
    const after = setConditions(before, [{ ...ready, reason: 'Running', message: 'running' }], LATER)
    expect(after).toEqual([{ ...ready, reason: 'Running', message: 'running', lastTransitionTime: '2026-01-01T12:00:00Z' }])
  })

  it('move the time of the last transition when the status changes', () => {
    const before = setConditions(undefined, [ready], NOON)
    const after = setConditions(before, [{ ...ready, status: 'True' }], LATER)
    expect(after[0]?.lastTransitionTime).toBe('2026-01-01T13:00:00Z')
  })

  it('are exactly those stated: what is no longer said is gone', () => {
    const before = setConditions(undefined, [ready, { ...ready, type: 'Stalled' }], NOON)
    expect(setConditions(before, [ready], LATER).map(({ type }) => type)).toEqual(['Ready'])
  })

  it('are found by type', () => {
    expect(conditionOf(setConditions(undefined, [ready], NOON), 'Ready')?.reason).toBe('Starting')
  })

  it('cut a message that the API server would refuse', () => {
    const [condition] = setConditions(undefined, [{ ...ready, message: 'x'.repeat(40_000) }], NOON)
    expect(condition?.message).toHaveLength(32_768)
  })

  it.each(['', 'has space', '1st', 'ends-with:', 'x'.repeat(1025)])('refuse the reason %j before the API server does', (reason) => {
    expect(() => setConditions(undefined, [{ ...ready, reason }], NOON)).toThrow('illegal reason')
  })
})
