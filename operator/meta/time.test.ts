import { describe, expect, it } from 'vitest'
import { toMicroTime, toSeconds } from './time.ts'

describe('a time stamp', () => {
  it('of a condition is in whole seconds', () => {
    expect(toSeconds(new Date('2026-01-01T12:00:00.999Z'))).toBe('2026-01-01T12:00:00Z')
  })

  it('of a lease or event has six decimals', () => {
    expect(toMicroTime(new Date('2026-01-01T12:00:00.125Z'))).toBe('2026-01-01T12:00:00.125000Z')
  })
})
