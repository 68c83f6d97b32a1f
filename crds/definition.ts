// A CustomResourceDefinition from one kind's schemas and what kubectl shows of it.
import type { z } from 'zod'
import type { KubeObject } from '../operator/api/object.ts'
import { GROUP, VERSION, type Rule } from './common.ts'
import { structuralSchema, type StructuralSchema } from './schema.ts'

export type PrinterColumn = Readonly<{
  name: string
  type: 'string' | 'integer' | 'date'
  jsonPath: string
  description: string
  /** 1 shows the column with `-o wide` only. */
  priority?: 1
}>

export type KindDefinition = Readonly<{
  kind: string
  singular: string
  plural: string
  shortNames: readonly string[]
  description: string
  /** Longest metadata.name whose children's names still fit their own limit. */
  nameMaxLength: number
  /** Rules that need the name beside the specification. */
  rules?: readonly Rule[]
  spec: z.ZodType
  status: z.ZodType
  columns: readonly PrinterColumn[]
  /** JSON paths of scalars that field selectors may use. */
  selectable: readonly string[]
}>

export type CustomResourceDefinition = KubeObject &
  Readonly<{
    spec: Readonly<{
      group: string
      scope: 'Namespaced'
      names: Readonly<{ kind: string; listKind: string; plural: string; singular: string; shortNames: readonly string[]; categories: readonly string[] }>
      versions: readonly Readonly<{
        name: string
        served: boolean
        storage: boolean
        subresources: Readonly<{ status: Readonly<Record<string, never>> }>
        selectableFields: readonly Readonly<{ jsonPath: string }>[]
        additionalPrinterColumns: readonly PrinterColumn[]
        schema: Readonly<{ openAPIV3Schema: StructuralSchema }>
      }>[]
    }>
  }>

/** Translates one kind; throws NotStructural when its schema cannot be expressed. */
export function customResourceDefinition(definition: KindDefinition): CustomResourceDefinition {
  const { kind, singular, plural, shortNames, columns, selectable } = definition
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames, categories: ['swe'] },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          selectableFields: selectable.map((jsonPath) => ({ jsonPath })),
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: objectSchema(definition) },
        },
      ],
    },
  }
}

function objectSchema({ kind, description, nameMaxLength, rules = [], spec, status }: KindDefinition): StructuralSchema {
  return {
    description,
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { description: `The version of this form of the resource: ${GROUP}/${VERSION}.`, type: 'string' },
      kind: { description: `The kind of the resource: ${kind}.`, type: 'string' },
      metadata: { type: 'object', properties: { name: { type: 'string' } } },
      spec: structuralSchema(spec),
      status: structuralSchema(status),
    },
    'x-kubernetes-validations': [...nameRules(nameMaxLength), ...rules],
  }
}

function nameRules(maxLength: number): Rule[] {
  return [
    { rule: `size(self.metadata.name) <= ${maxLength}`, message: `must have at most ${maxLength} characters, because the names of its Jobs and pods begin with it`, fieldPath: '.metadata.name' },
    { rule: "!self.metadata.name.contains('.')", message: 'must have no dots, because host names of its pods begin with it', fieldPath: '.metadata.name' },
  ]
}
