// What a TrainingRun left, for others to go on with: as a person names it, and as it was found.
import { z } from 'zod'
import { checked, listMap, objectName, secretRefSchema, tokenSecretRefSchema, type Immutable } from './common.ts'

/** `what` says what becomes of the result, and who waits for it. */
export function fromRunSchema(what: string) {
  return z
    .object({
      name: objectName('Name of a TrainingRun in the same namespace, such as sft.'),
      secretRef: secretRefSchema.optional(),
      tokenSecretRef: tokenSecretRefSchema.optional(),
    })
    .meta({
      description: `${what} What it left is frozen in status.fromRun, so that a later deletion of that run changes nothing. Where the model below an adapter takes a Secret, name one here that you may read: secretRef for an S3 store, tokenSecretRef for a hub, whose endpoint is the one that run read from.`,
      ...checked({ rule: '!has(self.secretRef) || !has(self.tokenSecretRef)', message: 'secretRef goes with a model in an S3 store, tokenSecretRef with one on a hub: name one of them' }),
    })
}

const count = z.int().min(0)
const shortText = z.string().max(256)
const longText = z.string().max(2048)

const originFileSchema = z
  .object({
    name: z.string().min(1).max(512).describe('Its name in the folder, such as adapter_config.json.'),
    sha256: z.string().min(64).max(64).regex(/^[0-9a-f]{64}$/).describe('SHA-256 of its content; another one is refused.'),
  })
  .describe('A file of the result.')

const adapterBaseSchema = z
  .object({
    s3: z.object({ uri: longText.describe('URI of the folder.') }).optional().describe('A folder in an S3-compatible store.'),
    hub: z
      .object({
        repo: shortText.describe('Repository on the hub.'),
        revision: shortText.optional().describe('The commit that the adapter was trained on.'),
        endpoint: longText.optional().describe('URL of the hub. Absent: huggingface.co.'),
      })
      .optional()
      .describe('A model on a hub.'),
    sha256: shortText.optional().describe('Digest of its configuration and tokenizer as they were read then; others are refused.'),
  })
  .describe('The model that the adapter was trained on.')

/** `field` is the one that names the run. */
export function originSchema(field: string) {
  return z
    .object({
      name: shortText.describe('The run that left it.'),
      uid: shortText.describe('Its uid: another run of that name is another run.'),
      uri: longText.describe('The folder in the artifact store with its result, an adapter or a whole model.'),
      files: z.array(originFileSchema).max(64).meta({ description: 'The files of the result.', ...listMap('name') }),
      adapter: z
        .object({
          rank: count.describe('Rank of its matrices.'),
          alpha: count.describe('Its scaling.'),
          targetModules: z.string().max(8400).describe('Modules that it adapts, separated by commas.'),
          base: adapterBaseSchema,
        })
        .optional()
        .describe('What there is to know of an adapter. Absent: the result is a whole model.'),
    })
    .describe(`What the run of ${field} left, frozen when that run was complete. Whatever becomes of that run later changes nothing.`)
}

/** What a run left, as a status has it. */
export type Origin = Immutable<z.infer<ReturnType<typeof originSchema>>>
/** What a specification says of the run. */
export type FromRun = Immutable<z.infer<ReturnType<typeof fromRunSchema>>>
