import { describe, expect, it } from 'vitest'
import { createFakeWorld } from '../testing/fake-world.ts'
import { Backoff } from './backoff.ts'

const middle = { random: () => 0.5 }

describe('the back-off of a key', () => {
  it('doubles from 5 ms and ends at 300 s', () => {
    const backoff = new Backoff(middle)
    const delays = Array.from({ length: 18 }, () => backoff.next('a'))
    expect([...delays.slice(0, 4), delays.at(-1)]).toEqual([5, 10, 20, 40, 300_000])
  })

  it('stays within 20 % of its figure, whatever the dice say', () => {
    const backoff = new Backoff(createFakeWorld())
    const ratios = Array.from({ length: 200 }, (_, key) => backoff.next(String(key)) / 5)
    expect([Math.min(...ratios) >= 0.8, Math.max(...ratios) <= 1.2, Math.max(...ratios) - Math.min(...ratios) > 0.3]).toEqual([true, true, true])
  })

  it('is its own and starts again once forgotten', () => {
    const backoff = new Backoff(middle)
    backoff.next('a')
    expect([backoff.next('a'), backoff.next('b')]).toEqual([10, 5])
    backoff.forget('a')
    expect(backoff.next('a')).toBe(5)
  })
})
