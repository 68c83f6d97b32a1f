// Building blocks that several kinds share. Whatever has a description here is what `kubectl explain` shows.
import { z } from 'zod'
import type { ObjectMeta } from '../operator/api/object.ts'

export const GROUP = 'swe-operator.dev'
export const VERSION = 'v1alpha1'
export const API_VERSION = `${GROUP}/${VERSION}`

/** A value whose every level is read-only, as objects from the cache are. */
export type Immutable<T> = T extends readonly (infer Item)[] ? readonly Immutable<Item>[] : T extends object ? { readonly [Key in keyof T]: Immutable<T[Key]> } : T

/** A CEL rule as the API server evaluates it; `message` is what the user reads. */
export type Rule = Readonly<{ rule: string; message: string; fieldPath?: string; reason?: 'FieldValueForbidden' | 'FieldValueInvalid' | 'FieldValueRequired' }>

/** Metadata that attaches CEL rules to a schema: `z.object({…}).meta(checked(exactlyOneOf('a', 'b')))`. */
export function checked(...rules: readonly Rule[]): { 'x-kubernetes-validations': Rule[] } {
  return { 'x-kubernetes-validations': [...rules] }
}

export function exactlyOneOf(...fields: readonly string[]): Rule {
  const present = fields.map((field) => `has(self.${field})`).join(', ')
  return { rule: `[${present}].filter(x, x).size() == 1`, message: `exactly one of ${fields.join(', ')} must be set` }
}

/**
 * One transition rule per field, to stand on the parent: a rule on the field itself does not run when an optional field
 * is added or removed. `mutable` names the fields that stay free.
 */
export function immutableFields(kind: string, shape: z.ZodRawShape, mutable: readonly string[]): Rule[] {
  return Object.entries(shape)
    .filter(([field]) => !mutable.includes(field))
    .map(([field, schema]) => ({
      rule: z.safeParse(schema, undefined).success
        ? `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`
        : `self.${field} == oldSelf.${field}`,
      message: `spec.${field} is immutable; create a new ${kind}`,
      fieldPath: `.${field}`,
      reason: 'FieldValueForbidden',
    }))
}

/** Metadata of a list that server-side apply merges item by item, told apart by `keys`. */
export function listMap(...keys: readonly [string, ...string[]]): Record<string, unknown> {
  return { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys }
}

/** Metadata of a list without duplicates, compared without regard to order. */
export const listSet = { 'x-kubernetes-list-type': 'set' }

/** Metadata of a list that is replaced as a whole. */
export const listAtomic = { 'x-kubernetes-list-type': 'atomic' }

/** Says in words what a pattern means: users see this line beside the regular expression. */
export function matching(pattern: RegExp, message: string): Rule {
  return { rule: `self.matches(r'${pattern.source}')`, message }
}

const DURATION = /^([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,7}s)?$/

/** Hours, minutes and seconds, such as 1h30m. */
export function duration(description: string): z.ZodString {
  return z.string().min(2).max(24).regex(DURATION).meta({ description, ...checked(matching(DURATION, 'must be hours, minutes and seconds, such as 8h, 90m or 1h30m')) })
}

export const cleanupSchema = z
  .object({ afterFinished: duration('How long they stay after this resource is Complete or Failed, such as 24h, or 0s for not at all.') })
  .describe('Removes the Jobs, pods and ConfigMaps of this resource once it is finished. The resource itself, its status and its artifacts stay. Can be changed at any time. Default: they stay as long as this resource does.')

const DECIMAL = /^[0-9]{1,9}([.][0-9]{1,12})?([eE][+-]?[0-9]{1,2})?$/

/**
 * A non-negative decimal number as a string, because floats in specs do not survive every client unchanged.
 * `above` is exclusive, as is `below`; `message` says the range in words.
 */
export function decimal(description: string, range: Readonly<{ above?: number; below?: number; atMost?: number; message: string }>): z.ZodString {
  const bounds = [
    ...(range.above === undefined ? [] : [`double(self) > ${range.above.toFixed(1)}`]),
    ...(range.below === undefined ? [] : [`double(self) < ${range.below.toFixed(1)}`]),
    ...(range.atMost === undefined ? [] : [`double(self) <= ${range.atMost.toFixed(1)}`]),
  ]
  const number = matching(DECIMAL, `must be a decimal number ${range.message}`)
  const rule = [number.rule, ...bounds].join(' && ')
  return z.string().max(24).regex(DECIMAL).meta({ description, ...checked({ ...number, rule }) })
}

const SEED_MAX = 4_294_967_295 // numpy takes 32 bits, and it is seeded with this number

export function seed(description: string): z.ZodNumber {
  return z.int().min(0).max(SEED_MAX).describe(description)
}

const NAME_MAX = 253
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/

const LABEL_VALUE = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/

/** What may be the value of a label, such as the name of a pool. */
export function labelText(description: string): z.ZodString {
  return z.string().min(1).max(63).regex(LABEL_VALUE).describe(description)
}

export function objectName(description: string): z.ZodString {
  return z.string().min(1).max(NAME_MAX).regex(SUBDOMAIN).describe(description)
}

// No segment starts with a dot: a store that keeps objects as files could read `..` as the parent folder.
const S3_URI = /^s3:[/]{2}[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]([/][A-Za-z0-9_=@+-][A-Za-z0-9_.=@+-]*)+[/]?$/

const S3_URI_MEANING = 'must be s3://<bucket>/<path>; segments of the path are letters, digits and _ . = @ + -, and none starts with a dot'

export const secretRefSchema = z
  .object({ name: objectName('Name of a Secret in the same namespace as this resource.') })
  .describe(
    'The Secret with the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY and, where needed, AWS_ENDPOINT_URL and AWS_REGION. It is mounted into the pod that reads the source; the operator itself never reads it.',
  )

function s3Schema(description: string, uri: string) {
  return z
    .object({ uri: z.string().min(8).max(1024).regex(S3_URI).meta({ description: uri, ...checked(matching(S3_URI, S3_URI_MEANING)) }), secretRef: secretRefSchema.optional() })
    .describe(
      `${description} Without secretRef the URI must lie under this namespace's own prefix of the operator's bucket, s3://<bucket>/<namespace>/; anything else needs secretRef.`,
    )
}

export const s3FileSchema = s3Schema(
  'One file in an S3-compatible store.',
  'URI of the file, such as s3://swe-operator/my-team/data/rows.jsonl. Path segments are letters, digits and _ . = @ + -, and do not start with a dot.',
)

export const s3FolderSchema = s3Schema(
  'A folder in an S3-compatible store.',
  'URI of the folder, such as s3://swe-operator/my-team/models/qwen2-0.5b. Path segments are letters, digits and _ . = @ + -, and do not start with a dot.',
)

const HUB_REPO = /^[A-Za-z0-9][A-Za-z0-9_.-]*[/][A-Za-z0-9_.-]+$/
const HUB_REVISION = /^[A-Za-z0-9][A-Za-z0-9_.-]*([/][A-Za-z0-9_.-]+)*$/
const HTTP_URL = /^https?:[/]{2}[A-Za-z0-9.-]+(:[0-9]{1,5})?([/][A-Za-z0-9_.~-]+)*[/]?$/

export const tokenSecretRefSchema = z
  .object({ name: objectName('Name of a Secret in the same namespace as this resource.') })
  .describe('The Secret whose key HF_TOKEN is the token for the hub. It is mounted into the pod that reads the source; the operator itself never reads it.')

export const hubRepo = z
  .string()
  .min(3)
  .max(128)
  .regex(HUB_REPO)
  .meta({ description: 'Repository on the hub as owner/name, such as Qwen/Qwen2.5-3B-Instruct.', ...checked(matching(HUB_REPO, 'must be owner/name, such as Qwen/Qwen2.5-3B-Instruct')) })

export const hubEndpoint = z
  .string()
  .min(8)
  .max(512)
  .regex(HTTP_URL)
  .meta({ description: 'URL of a hub that speaks the protocol of huggingface.co, such as a mirror. Default: https://huggingface.co.', ...checked(matching(HTTP_URL, 'must be a URL, such as https://hub.example.com')) })

const hubShape = {
  repo: hubRepo,
  revision: z.string().min(1).max(128).regex(HUB_REVISION).optional().describe('Branch, tag or commit. The commit is frozen when the data is prepared, and shown in the status. Default: main.'),
  endpoint: hubEndpoint.optional(),
  tokenSecretRef: tokenSecretRefSchema.optional(),
}

export const hubModelSchema = z.object(hubShape).describe('A model on the Hugging Face Hub. Public ones need no token.')

export const hubDatasetSchema = z
  .object({
    ...hubShape,
    config: z.string().min(1).max(128).regex(/^[A-Za-z0-9_.-]+$/).optional().describe('Name of the configuration (subset), where the dataset has several. Default: the only one, or default.'),
    split: z.string().min(1).max(128).regex(/^[A-Za-z0-9_.-]+$/).optional().describe('Name of the split, such as test. Default: train.'),
  })
  .describe('A dataset on the Hugging Face Hub. Public ones need no token.')

const HUB_FOLDER = /^[A-Za-z0-9_=@+-][A-Za-z0-9_.=@+-]*([/][A-Za-z0-9_=@+-][A-Za-z0-9_.=@+-]*)*$/

export const hubFolderSchema = z
  .object({
    ...hubShape,
    folder: z
      .string()
      .min(1)
      .max(512)
      .regex(HUB_FOLDER)
      .meta({ description: 'Folder in the repository, such as runs/best. Default: all of it.', ...checked(matching(HUB_FOLDER, 'must be a path such as runs/best; its segments are letters, digits and _ . = @ + -, and none starts with a dot')) })
      .optional(),
  })
  .describe('Files of a dataset repository on the Hugging Face Hub that are no rows of a split. Public ones need no token.')

export const configMapKeySchema = z
  .object({
    name: objectName('Name of a ConfigMap in the same namespace as this resource.'),
    key: z.string().min(1).max(NAME_MAX).regex(/^[A-Za-z0-9_-][-._A-Za-z0-9]*$/).describe('Key in the ConfigMap whose value is the file, such as rows.jsonl.'),
  })
  .describe('One key of a ConfigMap (1 MiB at most in all). Fitting for samples and tests; larger data belongs into the store.')

export const conditionSchema = z
  .object({
    type: z.string().min(1).max(316).describe('Name of the condition in CamelCase, such as Ready.'),
    status: z.enum(['True', 'False', 'Unknown']).describe('Whether the condition holds: True, False or Unknown.'),
    observedGeneration: z.int().min(0).optional().describe('The metadata.generation of the specification that this condition speaks about.'),
    lastTransitionTime: timestamp('When status last changed from one value to another.'),
    reason: z.string().min(1).max(1024).regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/).describe('One word in CamelCase that says why; programs may rely on it.'),
    message: z.string().max(32768).describe('What happened, to which object, and what to do about it, for a person.'),
  })
  .describe('One aspect of the current state.')

export const conditionsSchema = z
  .array(conditionSchema)
  .max(16)
  .meta({
    description:
      'Ready, Reconciling and Stalled as kstatus, Flux, Argo CD and helm --wait read them (Stalled=True: it will not succeed without you); Complete and Failed as Jobs have them, for kubectl wait.',
    ...listMap('type'),
  })

export const observedGeneration = z.int().min(0).describe('The metadata.generation that this status was computed from. Older than metadata.generation: the operator has not yet seen the last change.')

export function timestamp(description: string): z.ZodString {
  return z.string().max(64).meta({ description, format: 'date-time' })
}

export const artifactSchema = z
  .object({
    name: z.string().min(1).max(512).describe('Path of the artifact within the result, such as adapter/adapter_model.safetensors.'),
    uri: z.string().min(1).max(2048).describe('Where the artifact lies, as s3://<bucket>/<key>.'),
    sha256: z.string().regex(/^[0-9a-f]{64}$/).min(64).max(64).describe('SHA-256 of the content, 64 hexadecimal digits.'),
    sizeBytes: z.int().min(0).describe('Size in bytes.'),
    createdTime: timestamp('When the artifact was committed to the store.'),
    metadata: z
      .record(z.string(), z.string().max(256).describe('One fact.'))
      .meta({ maxProperties: 16 })
      .optional()
      .describe('Small facts about the artifact, such as the attempt that wrote it and the step it is of.'),
  })
  .describe('A file in the artifact store that outlives this resource.')

export const frozenSourceSchema = z
  .object({
    uri: z.string().max(2048).describe('Where it was read from.'),
    revision: z.string().max(256).optional().describe('The commit that was read; every attempt reads the same.'),
    sha256: z.string().max(64).optional().describe('Digest of what was read, 64 hexadecimal digits.'),
  })
  .describe('What was read, as it was frozen when the data was prepared.')

export const badRowExamplesSchema = z
  .array(
    z
      .object({ row: z.int().min(0).describe('Number of the row in its file, the first is 1.'), reason: z.string().max(512).describe('Why the row cannot be used.') })
      .describe('A row that cannot be used.'),
  )
  .max(5)
  .meta({ description: 'The first bad rows, 5 at most.', ...listAtomic })

export type Condition = Immutable<z.infer<typeof conditionSchema>>
export type Artifact = Immutable<z.infer<typeof artifactSchema>>
export type S3Source = Immutable<z.infer<typeof s3FileSchema>>
export type HubModel = Immutable<z.infer<typeof hubModelSchema>>
export type HubDataset = Immutable<z.infer<typeof hubDatasetSchema>>
export type HubFolder = Immutable<z.infer<typeof hubFolderSchema>>

const namedSchema = z.looseObject({ name: z.string() }) // made once: every reconcile parses an object

/** Metadata is the API server's business: only what every object has is looked at. */
export const objectMetaSchema = z.custom<ObjectMeta>((value) => namedSchema.safeParse(value).success, 'must be an object with a name')

/** An object of our kind that does not fit the schema this operator was built with, such as one written by another version. */
export class UnreadableObject extends Error {
  override readonly name = 'UnreadableObject'
}

/** Parses an object of one of our kinds; throws UnreadableObject naming the object and every field that does not fit. */
export function parseObject<Schema extends z.ZodType>(kind: string, schema: Schema, raw: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(raw)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
  throw new UnreadableObject(`${kind} ${nameOf(raw)} does not fit ${API_VERSION}: ${problems}`, { cause: parsed.error })
}

function nameOf(raw: unknown): string {
  const named = z.object({ metadata: z.object({ name: z.string(), namespace: z.string().default('') }) }).safeParse(raw)
  return named.success ? `${named.data.metadata.namespace}/${named.data.metadata.name}` : 'without a name'
}
