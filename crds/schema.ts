// zod → structural schema: what a CustomResourceDefinition may contain, and nothing that zod alone would check.
import { z } from 'zod'

/** A node of a structural schema, as a CustomResourceDefinition carries it. */
export type StructuralSchema = Readonly<{
  description?: string
  type?: string
  format?: string
  enum?: readonly string[]
  pattern?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: boolean
  exclusiveMaximum?: boolean
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  minProperties?: number
  maxProperties?: number
  default?: unknown
  nullable?: boolean
  required?: readonly string[]
  properties?: Readonly<Record<string, StructuralSchema>>
  items?: StructuralSchema
  additionalProperties?: StructuralSchema
  anyOf?: readonly StructuralSchema[]
  'x-kubernetes-int-or-string'?: boolean
  'x-kubernetes-list-type'?: string
  'x-kubernetes-list-map-keys'?: readonly string[]
  'x-kubernetes-map-type'?: string
  'x-kubernetes-validations'?: readonly Readonly<Record<string, string>>[]
}>

/** A zod schema that no structural schema can express; the message names the place and the way out. */
export class NotStructural extends Error {
  override readonly name = 'NotStructural'

  constructor(path: readonly (string | number)[], problem: string) {
    super(`${path.length === 0 ? 'the schema itself' : path.join('.')}: ${problem}`)
  }
}

/** Translates; throws NotStructural for anything that the API server would refuse or that would be lost on the way. */
export function structuralSchema(schema: z.ZodType): StructuralSchema {
  const json = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'throw',
    override: ({ zodSchema, path }) => refuseLostChecks(zodSchema, path),
  })
  return clean(asNode(json), [])
}

/** zod leaves these out of a JSON schema without a word, so the API server would admit what the operator then refuses. */
function refuseLostChecks(schema: z.core.$ZodTypes, path: readonly (string | number)[]): void {
  for (const check of schema._zod.def.checks ?? []) {
    const { def } = check._zod
    if (def.check === 'custom') throw new NotStructural(path, 'refine() would be lost: write a CEL rule with checked()')
    if ('pattern' in def && def.pattern instanceof RegExp) refuseUnportable(def.pattern, path)
  }
}

function refuseUnportable(pattern: RegExp, path: readonly (string | number)[]): void {
  if (pattern.flags !== '') throw new NotStructural(path, `the flags of ${pattern} would be lost: write the pattern without them`)
  if (/\(\?(<?[=!])|\\[1-9]/.test(pattern.source)) throw new NotStructural(path, `${pattern} uses look-around or back-references, which RE2 does not have`)
}

type Node = Readonly<Record<string, unknown>>
type Path = readonly (string | number)[]

// The order in which a node is written, so that a change in zod's order changes no generated file.
const PLAIN_KEYS = ['description', 'type', 'format', 'default', 'nullable', 'enum', 'pattern', 'minimum', 'exclusiveMinimum', 'maximum', 'exclusiveMaximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties', 'x-kubernetes-int-or-string', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys', 'x-kubernetes-map-type', 'required'] as const
const NESTED_KEYS = ['properties', 'items', 'additionalProperties', 'anyOf', 'x-kubernetes-validations'] as const
const DROPPED_KEYS = ['$schema', 'propertyNames', 'id']
const KNOWN_KEYS = new Set<string>([...PLAIN_KEYS, ...NESTED_KEYS, ...DROPPED_KEYS])

function clean(raw: Node, path: Path): StructuralSchema {
  const node = raw['x-kubernetes-int-or-string'] === true ? intOrString(raw, path) : bounded(raw)
  refuseUnknown(node, path)
  const plain = PLAIN_KEYS.filter((key) => node[key] !== undefined).map((key) => [key, node[key]])
  const result: Record<string, unknown> = Object.fromEntries(plain)
  if (node.properties !== undefined) result.properties = cleanProperties(asNode(node.properties), path)
  if (node.items !== undefined) result.items = clean(asNode(node.items), [...path, '[]'])
  if (isMapOfValues(node.additionalProperties)) result.additionalProperties = clean(node.additionalProperties, [...path, '*'])
  if (node.anyOf !== undefined) result.anyOf = node.anyOf
  if (node['x-kubernetes-validations'] !== undefined) result['x-kubernetes-validations'] = node['x-kubernetes-validations']
  return result
}

function cleanProperties(properties: Node, path: Path): Record<string, StructuralSchema> {
  return Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, clean(asNode(property), [...path, name])]))
}

/** `additionalProperties: false` beside properties is forbidden, and unknown fields are refused by strict decoding anyway. */
function isMapOfValues(additional: unknown): additional is Node {
  return isNode(additional) && Object.keys(additional).length > 0
}

/** Integers travel as int64; zod's bounds of ±(2^53 − 1) say nothing about the field. */
function bounded(node: Node): Node {
  if (node.type !== 'integer') return node
  const { minimum, maximum, ...rest } = node
  return {
    ...rest,
    format: 'int64',
    ...(minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? {} : { minimum }),
    ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? {} : { maximum }),
  }
}

/** The one union a structural schema knows; the bounds of both alternatives stand beside it, each binds values of its own type. */
function intOrString(node: Node, path: Path): Node {
  const { anyOf, ...rest } = node
  const alternatives = Array.isArray(anyOf) ? anyOf.map(asNode) : []
  const [integer, text] = ['integer', 'string'].map((type) => alternatives.find((one) => one.type === type))
  if (integer === undefined || text === undefined || alternatives.length !== 2) throw new NotStructural(path, 'x-kubernetes-int-or-string belongs on z.union([z.int(), z.string()])')
  const { type: _integer, ...integerBounds } = bounded(integer)
  const { type: _string, ...textBounds } = text
  const { format: _format, ...bounds } = { ...integerBounds, ...textBounds, ...rest } as Node
  return { ...bounds, anyOf: [{ type: 'integer' }, { type: 'string' }] }
}

const WAYS_OUT: Readonly<Record<string, string>> = {
  $ref: 'a reference kills the request: remove .meta({ id })',
  anyOf: 'a union is not structural: one object with optional fields and exactlyOneOf()',
  oneOf: 'a union is not structural: one object with optional fields and exactlyOneOf()',
  allOf: 'a second regex() is not structural: merge them',
  const: 'a literal is not structural: use z.enum([…])',
}

function refuseUnknown(node: Node, path: Path): void {
  for (const key of Object.keys(node)) {
    const permitted = KNOWN_KEYS.has(key) && (key !== 'anyOf' || node['x-kubernetes-int-or-string'] === true)
    if (!permitted) throw new NotStructural(path, WAYS_OUT[key] ?? `${key} is not part of a structural schema`)
  }
  if (node.type === undefined && node['x-kubernetes-int-or-string'] !== true) throw new NotStructural(path, 'every field needs a type')
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function asNode(value: unknown): Node {
  if (!isNode(value)) throw new TypeError(`expected a schema, got ${JSON.stringify(value)}`)
  return value
}
