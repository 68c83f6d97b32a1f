import type { StructuralSchema } from './schema.ts'

export type SchemaNode = Readonly<{ path: string; schema: StructuralSchema }>

/** Every node below and including `schema`; list items appear as `[]`, map values as `*`. */
export function schemaNodes(schema: StructuralSchema, path = ''): readonly SchemaNode[] {
  const { properties = {}, items, additionalProperties } = schema
  return [
    { path, schema },
    ...Object.entries(properties).flatMap(([name, property]) => schemaNodes(property, path === '' ? name : `${path}.${name}`)),
    ...(items === undefined ? [] : schemaNodes(items, `${path}[]`)),
    ...(additionalProperties === undefined ? [] : schemaNodes(additionalProperties, `${path}.*`)),
  ]
}
