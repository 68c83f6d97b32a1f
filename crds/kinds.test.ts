import { describe, expect, it } from 'vitest'
import { customResourceDefinition } from './definition.ts'
import { kinds } from './kinds.ts'
import { schemaNodes } from './schema-walk.ts'
import type { StructuralSchema } from './schema.ts'

// What the API server adds up before it accepts a schema is far higher; this keeps the file readable by `kubectl apply` without server-side apply too.
const ANNOTATION_LIMIT_BYTES = 262_144

const MUTABLE = ['suspend', 'budget', 'cleanup', 'parallelism', 'compareWith']
const REMOVABLE = ['gate', 'publish']

describe.each(kinds)('the definition of $kind', (kind) => {
  const definition = customResourceDefinition(kind)
  const [version] = definition.spec.versions
  const root = version?.schema.openAPIV3Schema ?? {}
  const nodes = schemaNodes(root).filter(({ path }) => path !== 'metadata' && path !== 'metadata.name')
  const pathsWhere = (holds: (schema: StructuralSchema) => boolean) => nodes.filter(({ schema }) => holds(schema)).map(({ path }) => path)

  it('describes every field in a whole sentence', () => {
    expect(pathsWhere(({ description = '' }) => !/^[A-Zt].*\.$/s.test(description) || description.length < 5)).toEqual([])
  })

  it('names the default of every optional field of the specification that has one', () => {
    const silent = optionalLeaves(root.properties?.spec ?? {}, 'spec').filter(({ schema }) => !/Default: |\(default\)/.test(schema.description ?? ''))
    expect(silent.map(({ path }) => path).filter((path) => !mayStayAbsent(path))).toEqual([])
  })

  it('bounds every string, list and map', () => {
    const unbounded = ({ type, enum: values, maxLength, maxItems, maxProperties, additionalProperties }: StructuralSchema) =>
      (type === 'string' && values === undefined && maxLength === undefined) || (type === 'array' && maxItems === undefined) || (additionalProperties !== undefined && maxProperties === undefined)
    expect(pathsWhere(unbounded).filter((path) => path !== 'apiVersion' && path !== 'kind')).toEqual([])
  })

  it('bounds every integer, those of the specification on both sides', () => {
    const open = nodes.filter(({ path, schema }) => schema.type === 'integer' && (schema.minimum === undefined || (path.startsWith('spec.') && schema.maximum === undefined)))
    expect(open.map(({ path }) => path)).toEqual([])
  })

  it('has no floating-point number', () => {
    expect(pathsWhere(({ type }) => type === 'number')).toEqual([])
  })

  it('says for every list how it is merged, and has the keys of list maps required', () => {
    expect(pathsWhere((schema) => schema.type === 'array' && schema['x-kubernetes-list-type'] === undefined)).toEqual([])
    const keysOptional = (schema: StructuralSchema) => (schema['x-kubernetes-list-map-keys'] ?? []).some((key) => schema.items?.required?.includes(key) !== true)
    expect(pathsWhere(keysOptional)).toEqual([])
  })

  it('writes enum values in CamelCase', () => {
    expect(nodes.flatMap(({ schema }) => schema.enum ?? []).filter((value) => !/^[A-Z][A-Za-z0-9]*$/.test(value))).toEqual([])
  })

  it('has no default in what decides a result: the operator resolves and shows it', () => {
    expect(pathsWhere((schema) => schema.default !== undefined)).toEqual([])
  })

  it('has one immutability rule for each field of the specification but those that may change', () => {
    const spec = root.properties?.spec ?? {}
    const immutable = (spec['x-kubernetes-validations'] ?? []).filter(({ reason }) => reason === 'FieldValueForbidden')
    const fields = Object.keys(spec.properties ?? {}).filter((field) => ![...MUTABLE, ...REMOVABLE].includes(field))
    const removable = Object.keys(spec.properties ?? {}).filter((field) => REMOVABLE.includes(field))
    expect(immutable.map(({ fieldPath, message }) => [fieldPath, message])).toEqual([
      ...fields.map((field) => [`.${field}`, `spec.${field} is immutable; create a new ${kind.kind}`]),
      ...removable.map((field) => [`.${field}`, `spec.${field} can be removed, but neither added nor changed; create a new ${kind.kind}`]),
    ])
    expect(immutable.every(({ rule }) => rule?.includes('oldSelf'))).toBe(true)
  })

  it('calls no part of an immutable field changeable', () => {
    const isMutable = (path: string) => [...MUTABLE, ...REMOVABLE].some((field) => path === `spec.${field}`) || MUTABLE.some((field) => path.startsWith(`spec.${field}.`))
    expect(pathsWhere(({ description = '' }) => /changed (at any time|until)/.test(description)).filter((path) => path.startsWith('spec.') && !isMutable(path))).toEqual([])
  })

  it('guards the appearance and disappearance of optional fields', () => {
    const spec = root.properties?.spec ?? {}
    const guarded = (spec['x-kubernetes-validations'] ?? []).filter(({ rule }) => rule?.startsWith('has(self.')).map(({ fieldPath }) => fieldPath?.slice(1))
    const optional = Object.keys(spec.properties ?? {}).filter((field) => ![...MUTABLE, ...REMOVABLE].includes(field) && spec.required?.includes(field) !== true)
    expect(guarded).toEqual(optional)
  })

  it('gives every rule a message', () => {
    const rules = nodes.flatMap(({ schema }) => schema['x-kubernetes-validations'] ?? [])
    expect(rules.length).toBeGreaterThan(0)
    expect(rules.filter(({ message = '' }) => message.length < 10)).toEqual([])
  })

  it('points columns and field selectors at fields that exist', () => {
    const known = new Set(nodes.map(({ path }) => `.${path}`))
    const paths = [...kind.columns.map(({ jsonPath }) => jsonPath), ...kind.selectable].filter((path) => !path.startsWith('.metadata.'))
    expect(paths.map((path) => path.replace(/\[\?\(.*\)\]/, '[]')).filter((path) => !known.has(path))).toEqual([])
  })

  it('has a status subresource, is in the category swe, and fits into an annotation', () => {
    expect(version).toMatchObject({ name: 'v1alpha1', served: true, storage: true, subresources: { status: {} } })
    expect(definition.spec.names.categories).toEqual(['swe'])
    expect(JSON.stringify(definition).length).toBeLessThan(ANNOTATION_LIMIT_BYTES / 2)
  })

  it('contains nothing that a Helm template would evaluate', () => {
    expect(JSON.stringify(definition)).not.toContain('{{')
  })
})

/** Scalars that a user may leave out, below objects that a user may leave out or not. */
function optionalLeaves(schema: StructuralSchema, path: string): readonly { path: string; schema: StructuralSchema }[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const here = `${path}.${name}`
    if (property.properties !== undefined) return optionalLeaves(property, here)
    return schema.required?.includes(name) === true ? [] : [{ path: here, schema: property }]
  })
}

/** One of a choice of which exactly one is set. */
function mayStayAbsent(path: string): boolean {
  return ['spec.duration.maxSteps', 'spec.duration.epochs', 'spec.gate.minResolvedRate'].includes(path)
}
