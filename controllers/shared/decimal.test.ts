import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { millionths, toDecimal } from './decimal.ts'

describe('a decimal', () => {
  it.each([
    ['3.67', 3_670_000n],
    ['0', 0n],
    ['250', 250_000_000n],
    ['2e-4', 200n],
    ['1.5E3', 1_500_000_000n],
    ['0.0000005', 1n],
    ['0.0000004', 0n],
    ['999999999.999999', 999_999_999_999_999n],
    ['1e-99', 0n],
  ])('%s is read exactly, in millionths', (text, value) => {
    expect(millionths(text)).toBe(value)
  })

  it.each(['', '-1', '1.', '.5', 'NaN', '1,5', '0x10', '1 '])('is not made of %j', (text) => {
    expect(() => millionths(text)).toThrow(`${JSON.stringify(text)} is no decimal number`)
  })

  it.each([
    [0n, '0.0000'],
    [49n, '0.0000'],
    [50n, '0.0001'],
    [3_670_000n, '3.6700'],
    [12_034_567_890n, '12034.5679'],
  ])('%s is shown with four places', (value, text) => {
    expect(toDecimal(value)).toBe(text)
  })

  it('survives being shown and read, however large', () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), (value) => {
      expect(millionths(toDecimal(value * 100n))).toBe(value * 100n)
    }))
  })

  it('adds up without the surprises of floating point', () => {
    const sum = Array.from({ length: 10 }, () => millionths('0.1')).reduce((total, one) => total + one, 0n)
    expect(toDecimal(sum)).toBe('1.0000')
  })
})
