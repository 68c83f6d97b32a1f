import { describe, expect, it } from 'vitest'
import { median, verdictOn } from './result.ts'

describe('the verdict of a bench', () => {
  it('holds while no figure exceeds its target', () => {
    const targets = { rssMiB: 120 }
    expect([120, 121].map((rssMiB) => verdictOn('operator', { metrics: { rssMiB }, targets }).held)).toEqual([true, false])
  })

  it('does not hold where a figure is missing', () => {
    expect(verdictOn('operator', { metrics: {}, targets: { rssMiB: 120 } }).held).toBe(false)
  })

  it('rests on the middle of several runs', () => {
    expect(median([9, 1, 2, 3, 100])).toBe(3)
  })
})
