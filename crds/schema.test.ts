import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { NotStructural, structuralSchema } from './schema.ts'

describe('what a structural schema keeps of a zod schema', () => {
  it('bounds, descriptions and Kubernetes extensions', () => {
    const names = z.array(z.string().min(1).max(9).describe('A name.')).max(3).meta({ description: 'Names.', 'x-kubernetes-list-type': 'set' })
    expect(structuralSchema(z.object({ names }))).toEqual({
      type: 'object',
      required: ['names'],
      properties: { names: { description: 'Names.', type: 'array', maxItems: 3, 'x-kubernetes-list-type': 'set', items: { description: 'A name.', type: 'string', minLength: 1, maxLength: 9 } } },
    })
  })

  it('integers as int64, without the bounds of a JavaScript number', () => {
    expect(structuralSchema(z.int())).toEqual({ type: 'integer', format: 'int64' })
    expect(structuralSchema(z.int().min(1).max(7))).toEqual({ type: 'integer', format: 'int64', minimum: 1, maximum: 7 })
  })

  it('a default, and a field with a default is not required', () => {
    const schema = structuralSchema(z.object({ mode: z.enum(['Fast', 'Slow']).default('Fast') }))
    expect(schema).toEqual({ type: 'object', properties: { mode: { type: 'string', enum: ['Fast', 'Slow'], default: 'Fast' } } })
  })

  it('null where it is allowed', () => {
    expect(structuralSchema(z.object({ a: z.string().max(1).nullable() })).properties?.a).toEqual({ type: 'string', maxLength: 1, nullable: true })
  })

  it('a map by the schema of its values', () => {
    const schema = structuralSchema(z.record(z.string(), z.string().max(5)).meta({ maxProperties: 2 }))
    expect(schema).toEqual({ type: 'object', maxProperties: 2, additionalProperties: { type: 'string', maxLength: 5 } })
  })

  it('no additionalProperties beside properties, though the zod object is strict', () => {
    expect(structuralSchema(z.strictObject({ a: z.boolean() }))).toEqual({ type: 'object', required: ['a'], properties: { a: { type: 'boolean' } } })
  })

  it('an integer or string in the one form that is allowed, with the bounds of both', () => {
    const quantity = z.union([z.int().min(1), z.string().max(4).regex(/^[0-9]+m$/)]).meta({ 'x-kubernetes-int-or-string': true })
    expect(structuralSchema(quantity)).toEqual({
      'x-kubernetes-int-or-string': true,
      minimum: 1,
      maxLength: 4,
      pattern: '^[0-9]+m$',
      anyOf: [{ type: 'integer' }, { type: 'string' }],
    })
  })

  it('no id, no $schema and no propertyNames', () => {
    expect(Object.keys(structuralSchema(z.record(z.string().regex(/^a/), z.boolean())))).toEqual(['type', 'additionalProperties'])
  })
})

describe('a zod schema that the API server would refuse, or check less of than zod', () => {
  const at = (schema: z.ZodType) => () => structuralSchema(z.object({ outer: z.object({ field: schema }) }))

  it.each([
    ['a union', z.union([z.string(), z.int()]), 'exactlyOneOf()'],
    ['a discriminated union', z.discriminatedUnion('t', [z.object({ t: z.literal('a') }), z.object({ t: z.literal('b') })]), 'exactlyOneOf()'],
    ['two patterns on one string', z.string().regex(/^a/).regex(/b$/), 'merge them'],
    ['a value without a type', z.unknown(), 'every field needs a type'],
    ['an int-or-string without its string', z.int().meta({ 'x-kubernetes-int-or-string': true }), 'z.union([z.int(), z.string()])'],
    ['a pattern with a flag', z.string().regex(/^a$/i), 'flags'],
    ['a pattern with look-ahead', z.string().regex(/^(?!a)/), 'RE2'],
    ['a pattern with a back-reference', z.string().regex(/^(a)\1$/), 'RE2'],
    ['a refinement', z.string().refine((text) => text !== 'x'), 'checked()'],
  ])('%s is refused with its place and the way out', (_what, schema, wayOut) => {
    expect(at(schema)).toThrow(NotStructural)
    expect(at(schema)).toThrow(/outer\.(properties\.)?field/)
    expect(at(schema)).toThrow(wayOut)
  })

  it('a schema with an id is refused, because its reference kills the request', () => {
    const shared = z.object({ a: z.string() }).meta({ id: 'shared' })
    expect(() => structuralSchema(z.object({ one: shared, two: shared }))).toThrow(/reference|not part of a structural schema/)
  })

  it('the same schema in two places is written out twice', () => {
    const shared = z.string().max(2).describe('Shared.')
    const { properties } = structuralSchema(z.object({ one: shared, two: shared }))
    expect(properties?.one).toEqual(properties?.two)
  })
})
