import { assert, property, stringMatching } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boundedName, labelValue } from './names.ts'

describe('a bounded name', () => {
  it('is the name itself where it fits', () => {
    expect(labelValue('a'.repeat(63))).toBe('a'.repeat(63))
  })

  it('keeps the beginning and ends in a hash where it does not fit', () => {
    expect(labelValue('a'.repeat(64))).toMatch(/^a{54}-[0-9a-f]{8}$/)
  })

  it('differs for long names that differ only at their end', () => {
    expect(labelValue(`${'a'.repeat(70)}1`)).not.toBe(labelValue(`${'a'.repeat(70)}2`))
  })

  it('never puts a separator before the hash', () => {
    expect(boundedName('abc-------------------', 12)).toMatch(/^abc-[0-9a-f]{8}$/)
  })

  it('is always a legal label value', () => {
    const names = stringMatching(/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/)
    assert(property(names, (name) => /^[a-z0-9]([-.a-z0-9]{0,61}[a-z0-9])?$/.test(labelValue(name))))
  })
})
