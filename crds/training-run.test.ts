import * as fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { UnreadableObject } from './common.ts'
import { structuralSchema, type StructuralSchema } from './schema.ts'
import { trainingRunSpecSchema } from './training-run-spec.ts'
import { trainingRunStatusSchema } from './training-run-status.ts'
import { parseTrainingRun } from './training-run.ts'

const spec = {
  method: 'SFT',
  engine: 'TRL',
  model: { s3: { uri: 's3://swe-operator/demo/models/tiny' } },
  data: { files: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'Messages' } },
  lora: {},
  duration: { maxSteps: 60 },
}
const run = { apiVersion: 'swe-operator.dev/v1alpha1', kind: 'TrainingRun', metadata: { name: 'quickstart', namespace: 'demo', uid: 'u1' }, spec }

describe('reading a TrainingRun', () => {
  it('keeps what was written and adds no default', () => {
    expect(parseTrainingRun(run)).toEqual(run)
  })

  it('keeps all of the metadata', () => {
    const metadata = { name: 'quickstart', namespace: 'demo', labels: { a: 'b' }, annotations: { c: 'd' }, generation: 3, managedFields: [] }
    expect(parseTrainingRun({ ...run, metadata }).metadata).toEqual(metadata)
  })

  it('drops a field that this version does not know, so that a newer object can be read', () => {
    expect(parseTrainingRun(JSON.parse(JSON.stringify({ ...run, spec: { ...spec, speed: { maxCost: '5' } } }))).spec).toEqual(spec)
  })

  it('names the object and every field that does not fit', () => {
    const broken = JSON.parse(JSON.stringify({ ...run, spec: { ...spec, method: 'PPO', duration: { maxSteps: 0 } } }))
    expect(() => parseTrainingRun(broken)).toThrow(UnreadableObject)
    expect(() => parseTrainingRun(broken)).toThrow(/TrainingRun demo\/quickstart .*spec\.method: .*spec\.duration\.maxSteps: /)
  })

  it('refuses another kind', () => {
    expect(() => parseTrainingRun({ ...run, kind: 'PreferenceGen' })).toThrow(/kind: /)
  })
})

describe('what the generated schema admits', () => {
  it.each([
    ['the warm-up', 'optimizer.warmupRatio', 'le=1', 'double(self) <= 1.0'],
    ['the learning rate', 'optimizer.learningRate', 'gt=0', 'double(self) > 0.0'],
    ['beta', 'dpo.beta', 'gt=0', 'double(self) > 0.0'],
    ['the label smoothing', 'dpo.labelSmoothing', 'lt=0.5', 'double(self) < 0.5'],
  ] as const)('of %s can be read by the program, which has the same bound', (_what, path, python, cel) => {
    const [section = '', field = ''] = path.split('.')
    const program = readFileSync(new URL('../workloads/swe_workloads/run_file.py', import.meta.url), 'utf8')
    const [, bound] = new RegExp(`${field.replace(/[A-Z]/, (letter) => `_${letter.toLowerCase()}`)}: .*Field\\(([^)]*)\\)`).exec(program) ?? []
    expect(bound).toContain(python)
    expect(structuralSchema(trainingRunSpecSchema).properties?.[section]?.properties?.[field]?.['x-kubernetes-validations']?.[0]?.rule).toContain(cel)
  })

  it.each([['spec', trainingRunSpecSchema], ['status', trainingRunStatusSchema]] as const)('of %s can be read by the operator', (_part, schema) => {
    fc.assert(fc.property(admitted(structuralSchema(schema)), (value) => schema.safeParse(value).success), { numRuns: 200 })
  })
})

/** Any value that fulfils the structural part of a schema (not the CEL rules). */
function admitted(schema: StructuralSchema): fc.Arbitrary<unknown> {
  if (schema['x-kubernetes-int-or-string'] === true) return fc.oneof(admittedInteger(schema), admittedString(schema))
  switch (schema.type) {
    case 'object':
      return schema.additionalProperties === undefined ? admittedObject(schema) : fc.dictionary(fc.string({ maxLength: 9 }), admitted(schema.additionalProperties), { maxKeys: 3 })
    case 'array':
      return fc.array(admitted(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: Math.min(schema.maxItems ?? 3, 3) })
    case 'string':
      return admittedString(schema)
    case 'integer':
      return admittedInteger(schema)
    case 'boolean':
      return fc.boolean()
    default:
      throw new Error(`no sample for ${JSON.stringify(schema)}`)
  }
}

function admittedObject({ properties = {}, required = [] }: StructuralSchema): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, admitted(property)]))
  return fc.record(fields, { requiredKeys: [...required] })
}

function admittedString({ enum: values, pattern, minLength = 0, maxLength = 64, format }: StructuralSchema): fc.Arbitrary<unknown> {
  if (values !== undefined) return fc.constantFrom(...values)
  if (format === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString())
  if (pattern === undefined) return fc.string({ minLength, maxLength: Math.min(maxLength, 64) })
  return fc.stringMatching(new RegExp(pattern)).filter((text) => text.length >= minLength && text.length <= maxLength)
}

function admittedInteger({ minimum, maximum }: StructuralSchema): fc.Arbitrary<unknown> {
  return fc.integer({ min: minimum ?? -1000, max: Math.min(maximum ?? 2 ** 31 - 1, 2 ** 31 - 1) })
}
