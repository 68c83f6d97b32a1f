import { describe, expect, it } from 'vitest'
import { canonicalJson, sameJson, stableHash } from './hash.ts'

describe('the hash of a value', () => {
  it('does not depend on the order of keys or on undefined ones', () => {
    expect(stableHash({ a: 1, b: { c: [2], d: undefined } })).toBe(stableHash({ b: { c: [2] }, a: 1 }))
  })

  it('depends on the order of lists', () => {
    expect(stableHash([1, 2])).not.toBe(stableHash([2, 1]))
  })

  it('is defined for undefined', () => {
    expect(canonicalJson(undefined)).toBe('null')
  })
})

describe('sameness of JSON', () => {
  it('ignores key order and undefined at any depth', () => {
    expect(sameJson({ a: [{ x: 1, y: undefined }] }, { a: [{ x: 1 }] })).toBe(true)
  })

  it.each([
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { a: 1, b: 2 }],
    [[1], [1, 2]],
    [[1], { 0: 1 }],
    [null, {}],
    [0, ''],
    ['1', 1],
  ])('sees a difference between %j and %j', (one, other) => {
    expect(sameJson(one, other)).toBe(false)
  })
})
