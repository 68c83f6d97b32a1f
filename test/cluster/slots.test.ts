import { describe, expect, it } from 'vitest'
import { addressesOf, chooseSlot, SLOTS } from './slots.ts'

describe('the network of a cluster', () => {
  it('is the lowest that no other cluster has', () => {
    expect(chooseSlot([], [])).toBe(0)
    expect(chooseSlot([0, 1, 3], [])).toBe(2)
  })
  it('is none that the machine uses for something else', () => {
    expect(chooseSlot([1], ['192.0.2.2', '10.201.0.7'])).toBe(2)
  })
  it('is refused with what to do when all are taken', () => {
    expect(() => chooseSlot(Array.from({ length: SLOTS }, (_, slot) => slot), [])).toThrow(/cluster -- down/)
  })
  it('has one address for each end of the cable', () => {
    expect(addressesOf(7)).toEqual({ host: '10.201.7.1', node: '10.201.7.2', prefixLength: 30 })
  })
})
