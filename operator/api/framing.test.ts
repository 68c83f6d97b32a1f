import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lineFraming, listFraming, type Framing } from './framing.ts'

/** All texts of the stream, cut into chunks of these sizes. */
function textsOf(framing: Framing, stream: string, sizes: readonly number[] = []): string[] {
  const bytes = Buffer.from(stream)
  const texts: string[] = []
  let at = 0
  for (const size of [...sizes, bytes.length]) {
    texts.push(...framing.push(bytes.subarray(at, at + size)))
    at += size
  }
  return [...texts, ...framing.finish()]
}

const sizes = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 60 })

describe('the lines of a stream', () => {
  it('come out whole, wherever the chunks are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.json()), sizes, (values, cuts) => {
        const stream = values.map((value) => `${value}\n`).join('')
        expect(textsOf(lineFraming(), stream, cuts)).toEqual(values)
      }),
    )
  })

  it('may be blank', () => {
    expect(textsOf(lineFraming(), '1\n\n \n2\n')).toEqual(['1', '2'])
  })

  it('must end', () => {
    expect(() => textsOf(lineFraming(), '1\n{"half":')).toThrow(/middle of a value/)
  })

  it('must not be larger than the limit', () => {
    expect(() => textsOf(lineFraming({ maxBytes: 10 }), '12345678901')).toThrow(/larger/)
    expect(textsOf(lineFraming({ maxBytes: 10 }), '1234567890\n1234567890\n')).toHaveLength(2)
  })
})

describe('the items of a list', () => {
  const lists = fc.record({ metadata: fc.constant({ resourceVersion: '7' }), items: fc.array(fc.dictionary(fc.string(), fc.jsonValue())), kind: fc.constant('List') })

  it('come out one by one and then the rest, whatever is in them and wherever the chunks are cut', () => {
    fc.assert(
      fc.property(lists, sizes, (list, cuts) => {
        const values = textsOf(listFraming(), JSON.stringify(list), cuts).map((text): unknown => JSON.parse(text))
        const plain: unknown = JSON.parse(JSON.stringify(list.items))
        expect(values).toEqual([...(plain as unknown[]), { ...list, items: [] }])
      }),
    )
  })

  it('may contain braces, quotes and brackets in their strings', () => {
    const item = { text: '}{"][\\"', nested: [{ a: ['}'] }] }
    expect(textsOf(listFraming(), JSON.stringify({ items: [item, item] }))[1]).toBe(JSON.stringify(item))
  })

  it('stay inside where the list is written in another way', () => {
    const list = '{"items": [{"a":1}]}'
    expect(textsOf(listFraming(), list)).toEqual([list])
  })

  it('must end', () => {
    expect(() => textsOf(listFraming(), '{"items":[{"a":1},{"b"')).toThrow(/middle of a value/)
  })

  it('must not be larger than the limit', () => {
    expect(() => textsOf(listFraming({ maxBytes: 10 }), '{"items":[{"a":"123456789"')).toThrow(/larger/)
  })
})
