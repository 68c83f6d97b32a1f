import { describe, expect, it } from 'vitest'
import { durationSeconds, toDuration } from './duration.ts'

describe('a duration', () => {
  it.each([['8h', 28_800], ['90m', 5_400], ['1h30m', 5_400], ['45s', 45], ['2h0m5s', 7_205], ['0s', 0]])('%s is %i seconds', (text, seconds) => {
    expect(durationSeconds(text)).toBe(seconds)
    expect(durationSeconds(toDuration(seconds))).toBe(seconds)
  })

  it('is written without what is nought', () => {
    expect([0, 5, 60, 3_605, 90_000].map(toDuration)).toEqual(['0s', '5s', '1m', '1h5s', '25h'])
  })

  it.each(['', '1d', '30m1h', '1.5h', 'h'])('is not %j', (text) => {
    expect(() => durationSeconds(text)).toThrow('is no duration')
  })
})
