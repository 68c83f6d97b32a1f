import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isOlder } from './resource-version.ts'

describe('resource versions', () => {
  it('are compared as the integers they are, however large', () => {
    const large = fc.bigInt({ min: 0n, max: 2n ** 64n })
    fc.assert(fc.property(large, large, (a, b) => isOlder(String(a), String(b)) === a < b))
  })

  it.each([['', '1'], ['1', ''], ['a', 'b'], ['01', '2'], ['1.5', '2'], ['-1', '2']])('%j and %j are not compared', (a, b) => {
    expect(isOlder(a, b)).toBe(false)
  })
})
