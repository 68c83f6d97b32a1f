// TrainingRun: one post-training of one model, from rows to adapter.
import { z } from 'zod'
import { resourceType, type KubeObject, type ObjectMeta } from '../operator/api/object.ts'
import {
  API_VERSION, artifactSchema, checked, conditionsSchema, configMapKeySchema, decimal, exactlyOneOf, immutableFields, listAtomic, listMap, listSet,
  matching, objectMetaSchema, observedGeneration, parseObject, s3FileSchema, s3FolderSchema, seed, timestamp, type Immutable,
} from './common.ts'

const modelSchema = z
  .object({ s3: s3FolderSchema })
  .describe('The base model: a folder in the Hugging Face layout (config.json, tokenizer files, *.safetensors).')

const limit = z.int().min(1).max(1_000_000).describe('Use at most this many of the selected rows, chosen by seed. Default: all.')
const selectSeed = seed('Seed of the choice that limit makes. Default: spec.seed.')

const instanceSelectSchema = z
  .object({
    instanceIds: z
      .array(z.string().min(1).max(128).regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/).describe('An instance_id, such as django__django-13251.'))
      .min(1)
      .max(2500)
      .meta({ description: 'Use only these instances, such as ["django__django-13251"]. Default: all.', ...listSet })
      .optional(),
    repos: z
      .array(z.string().min(3).max(128).regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*[/][A-Za-z0-9_.-]+$/).describe('A repository as owner/name, such as django/django.'))
      .min(1)
      .max(500)
      .meta({ description: 'Use only instances of these repositories, such as ["django/django"]. Default: all.', ...listSet })
      .optional(),
    limit: limit.optional(),
    seed: selectSeed.optional(),
  })
  .describe('Which instances to use. The conditions are combined: an instance must meet all that are set.')

const fileSelectSchema = z
  .object({ limit: limit.optional(), seed: selectSeed.optional() })
  .describe('Which rows to use. Default: all.')

const instancesSchema = z
  .object({
    configMap: configMapKeySchema.optional(),
    s3: s3FileSchema.optional(),
    format: z.enum(['SWEBench']).describe('SWEBench: one JSON object a line with the columns of SWE-bench (instance_id, repo, problem_statement, patch, …).'),
    promptStyle: z.enum(['Pro']).optional().describe('How an instance becomes a prompt. Pro (default): one paragraph with the repository and the issue text; the completion is the gold patch.'),
    select: instanceSelectSchema.optional(),
  })
  .meta({
    description: 'Instances of a software engineering benchmark; each becomes one pair of prompt (the issue) and completion (its gold patch).',
    ...checked(exactlyOneOf('configMap', 's3')),
  })

const filesSchema = z
  .object({
    configMap: configMapKeySchema.optional(),
    s3: s3FileSchema.optional(),
    format: z
      .enum(['Messages', 'PromptCompletion'])
      .describe('Messages: one {"messages": [{"role", "content"}, …]} a line, the last message by the assistant. PromptCompletion: one {"prompt", "completion"} a line; only the completion is learned. In both, instance_id and repo are optional.'),
    select: fileSelectSchema.optional(),
  })
  .meta({ description: 'Your own rows as a jsonl file, one JSON object a line.', ...checked(exactlyOneOf('configMap', 's3')) })

const dataSchema = z
  .object({ instances: instancesSchema.optional(), files: filesSchema.optional() })
  .meta({ description: 'What to learn from: exactly one of instances and files.', ...checked(exactlyOneOf('instances', 'files')) })

const splitSchema = z
  .object({
    trainPercent: z.int().min(1).max(99).optional().describe('Share of the units (see by) that is trained on, in percent; the rest is held out for evaluation. Default: 90.'),
    by: z
      .enum(['Instance', 'Repository'])
      .optional()
      .describe('What is never divided between the two sides. Instance (default): one row. Repository: all rows of a repository, so that the held-out rows come from code never seen; rows of data.files name theirs in an optional field repo.'),
    seed: seed('Seed of the division. Default: spec.seed.').optional(),
  })
  .describe('How rows are divided into a training and a held-out part. The division depends on the seed and the rows alone, so every attempt gets the same.')

const loraSchema = z
  .object({
    rank: z.int().min(1).max(1024).optional().describe('Rank of the adapter matrices. Default: 16.'),
    alpha: z.int().min(1).max(4096).optional().describe('Scaling of the adapter; it acts with the factor alpha / rank. Default: 32.'),
    dropout: decimal('Dropout on the adapter input, from 0 to below 1, as a string. Default: "0.05".', { below: 1, message: 'from 0 to below 1, such as "0.05"' }).optional(),
    targetModules: z
      .array(z.string().min(1).max(128).regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/).describe('Name of a module, such as q_proj.'))
      .min(1)
      .max(64)
      .meta({
        description: 'Modules that get an adapter, such as ["q_proj", "v_proj"]. Default: ["all-linear"], every linear layer but the output head.',
        ...listSet,
        ...checked({ rule: "!('all-linear' in self) || size(self) == 1", message: 'all-linear stands alone: name it or single modules' }),
      })
      .optional(),
  })
  .describe('Low-rank adapter (LoRA): the base model stays as it is, and the result is an adapter. {} takes all defaults.')

const UNIT_RANGE = { atMost: 1, message: 'from 0 to 1, such as "0.03"' }

const optimizerSchema = z
  .object({
    learningRate: decimal('Peak learning rate, above 0 and at most 1, as a string such as "2e-4". Default: "2e-4".', { above: 0, atMost: 1, message: 'above 0 and at most 1, such as "2e-4"' }).optional(),
    scheduler: z.enum(['Linear', 'Cosine', 'Constant']).optional().describe('How the learning rate moves after the warm-up: Linear or Cosine to 0, or Constant. Default: Cosine.'),
    warmupRatio: decimal('Share of all steps over which the learning rate rises from 0, from 0 to 1, as a string. Default: "0.03".', UNIT_RANGE).optional(),
    weightDecay: decimal('Weight decay of AdamW, from 0 to 1, as a string. Default: "0".', UNIT_RANGE).optional(),
  })
  .describe('AdamW and its learning rate.')

const batchSchema = z
  .object({
    perDevice: z.int().min(1).max(1024).optional().describe('Rows in one forward and backward pass. Default: 1.'),
    gradientAccumulation: z.int().min(1).max(4096).optional().describe('Passes before one optimizer step, so perDevice × gradientAccumulation rows make one step. Default: 4.'),
  })
  .describe('How many rows make one optimizer step.')

const durationSchema = z
  .object({
    maxSteps: z.int().min(1).max(10_000_000).optional().describe('Number of optimizer steps, such as 60.'),
    epochs: decimal('Passes over the training rows, above 0 and at most 1000, as a string such as "3" or "0.5".', { above: 0, atMost: 1000, message: 'above 0 and at most 1000, such as "3" or "0.5"' }).optional(),
  })
  .meta({ description: 'How long to train: exactly one of maxSteps and epochs.', ...checked(exactlyOneOf('maxSteps', 'epochs')) })

const everySteps = z.int().min(1).max(1_000_000)

const CPU = /^([1-9][0-9]{0,6}m|0[.][0-9]{0,2}[1-9]|[1-9][0-9]{0,3}([.][0-9]{1,3})?)$/
const MEMORY = /^[1-9][0-9]{0,6}([.][0-9]{1,3})?(Mi|Gi|Ti|M|G|T)$/

const computeSchema = z
  .object({
    cpu: z
      .union([z.int().min(1).max(1024), z.string().max(16).regex(CPU)])
      .meta({
        description: 'CPU cores of the training pod, as a number or a quantity such as 2, "1.5" or "500m". Default: 1.',
        'x-kubernetes-int-or-string': true,
        ...checked({ rule: `type(self) == int || ${matching(CPU, '').rule}`, message: 'must be cores or millicores, such as 2, "1.5" or "500m"' }),
      })
      .optional(),
    memory: z
      .string()
      .max(16)
      .regex(MEMORY)
      .meta({
        description: 'Memory of the training pod with its unit, such as 4Gi or 512Mi; request and limit are the same. Default: 4Gi.',
        ...checked(matching(MEMORY, 'must have a unit: Mi, Gi, Ti, M, G or T, such as 4Gi')),
      })
      .optional(),
  })
  .describe('What the training pod asks for.')

const specShape = {
  method: z.enum(['SFT']).describe('How to train. SFT: supervised fine-tuning on prompt and completion.'),
  engine: z.enum(['TRL']).describe('The library that trains. TRL: Hugging Face TRL, unmodified.'),
  suspend: z
    .boolean()
    .optional()
    .describe('true stops the run after a checkpoint and frees its pod; false continues from there. The one field that can be changed. Default: false.'),
  seed: seed('Seed of everything random: adapter initialisation, order of rows, dropout. Default: 42.').optional(),
  model: modelSchema,
  data: dataSchema,
  split: splitSchema.optional(),
  lora: loraSchema,
  optimizer: optimizerSchema.optional(),
  batch: batchSchema.optional(),
  duration: durationSchema,
  sequence: z
    .object({ maxLength: z.int().min(16).max(1_048_576).optional().describe('Longest row in tokens, prompt and completion together; longer rows are cut at the end and counted in status.data. Default: 2048.') })
    .optional()
    .describe('Length of the training sequences.'),
  evaluation: z
    .object({ everySteps: everySteps.describe('Evaluate after every this many optimizer steps.') })
    .optional()
    .describe('Evaluation on the held-out rows while training. Absent: none.'),
  checkpoint: z
    .object({
      everySteps: everySteps.optional().describe('Write a checkpoint to the store after every this many optimizer steps. Default: 50.'),
      keep: z.int().min(1).max(100).optional().describe('How many of the newest checkpoints an attempt keeps on its disk. Default: 3.'),
    })
    .optional()
    .describe('Checkpoints: what a later attempt continues from after a preemption, a crash or a suspension.'),
  compute: computeSchema.optional(),
  gracePeriodSeconds: z.int().min(10).max(3600).optional().describe('Seconds the training pod gets to write a last checkpoint when it is stopped. Default: 120.'),
  retries: z
    .object({ limit: z.int().min(0).max(100).optional().describe('How many failed attempts, of the last 20 attempts, are repeated before the run is Failed. Preemptions and suspensions are not counted; five attempts in a row that get no further end the run in any case. Default: 3.') })
    .optional()
    .describe('What happens after an attempt failed.'),
}

export const trainingRunSpecSchema = z
  .object(specShape)
  .meta({
    description: 'What to train. Everything but suspend is immutable: another experiment is another TrainingRun.',
    ...checked(...immutableFields('TrainingRun', specShape, ['suspend'])),
  })

const count = z.int().min(0)
const shortText = z.string().max(256)
const lossText = z.string().max(64)

const resolvedSchema = z
  .object({
    seed: count.describe('Seed of everything random.'),
    selectSeed: count.describe('Seed of the choice of rows.'),
    trainPercent: count.describe('Share that is trained on, in percent.'),
    splitBy: shortText.describe('What is never divided between training and evaluation.'),
    splitSeed: count.describe('Seed of the division.'),
    loraRank: count.describe('Rank of the adapter matrices.'),
    loraAlpha: count.describe('Scaling of the adapter.'),
    loraDropout: shortText.describe('Dropout on the adapter input.'),
    targetModules: z.string().max(8400).describe('Modules that get an adapter, separated by commas.'),
    learningRate: shortText.describe('Peak learning rate.'),
    scheduler: shortText.describe('How the learning rate moves.'),
    warmupRatio: shortText.describe('Share of all steps over which the learning rate rises.'),
    weightDecay: shortText.describe('Weight decay of AdamW.'),
    perDevice: count.describe('Rows in one pass.'),
    gradientAccumulation: count.describe('Passes before one optimizer step.'),
    maxLength: count.describe('Longest row in tokens.'),
    checkpointEverySteps: count.describe('Steps between checkpoints.'),
    checkpointKeep: count.describe('Checkpoints kept on disk.'),
    cpu: shortText.describe('CPU cores of the training pod.'),
    memory: shortText.describe('Memory of the training pod.'),
    gracePeriodSeconds: count.describe('Seconds for a last checkpoint.'),
    retryLimit: count.describe('Failed attempts that are repeated.'),
  })
  .partial()
  .describe('The values in force: what spec says, and the default where it says nothing.')

const dataStatusSchema = z
  .object({
    rows: count.describe('Rows after selection, bad ones not counted.'),
    train: count.describe('Rows that are trained on.'),
    test: count.describe('Rows that are held out.'),
    badRows: count.describe('Rows that could not be used. They are left out, and all of them are listed in the store under data/.'),
    badRowExamples: z
      .array(
        z
          .object({ row: count.describe('Number of the row in its file, the first is 1.'), reason: z.string().max(512).describe('Why the row cannot be used.') })
          .describe('A row that cannot be used.'),
      )
      .max(5)
      .meta({ description: 'The first bad rows, 5 at most.', ...listAtomic })
      .optional(),
    tokens: z
      .object({ p50: count.describe('The median.'), p90: count.describe('The length that 90 % of the rows do not exceed.'), max: count.describe('The longest row.') })
      .describe('Length of the rows in tokens of the model, before truncation.')
      .optional(),
    truncatedPercent: z.string().max(16).optional().describe('Share of rows longer than sequence.maxLength, in percent, such as "1.3".'),
    duplicatesAcrossSplit: count.optional().describe('Rows whose text stands on both sides of the split; more than 0 makes the evaluation look better than it is.'),
    repositories: z
      .array(z.object({ name: shortText.describe('The repository as owner/name.'), rows: count.describe('Its rows.') }).describe('Rows of one repository.'))
      .max(10)
      .meta({ description: 'The repositories with the most rows, 10 at most; of rows that name one.', ...listAtomic })
      .optional(),
  })
  .describe('What the preparation found in the data.')

const progressSchema = z
  .object({
    attempt: count.describe('The attempt that reported, the first is 1.'),
    step: count.describe('Optimizer steps done, counted over all attempts.'),
    totalSteps: count.optional().describe('Optimizer steps of the whole run.'),
    percent: z.int().min(0).max(100).describe('Share of the steps done, in percent.'),
    etaSeconds: count.optional().describe("Seconds until the last step at this attempt's pace, as estimated by the operator."),
    updatedTime: timestamp('When the training pod last reported.'),
    metrics: z
      .array(
        z
          .object({ name: z.string().min(1).max(64).describe('Name of the metric, such as loss.'), value: z.string().max(64).describe('Its value as the engine wrote it.') })
          .describe('The latest value of one metric.'),
      )
      .max(64)
      .meta({ description: 'The latest metrics of the engine; the whole history is an artifact.', ...listAtomic })
      .optional(),
  })
  .describe('How far the training is, as reported by the pod.')

const lossSchema = z
  .object({
    first: lossText.describe('Training loss of the first report.'),
    last: lossText.describe('Training loss of the last report.'),
    evalFirst: lossText.describe('Loss on the held-out rows at the first evaluation.'),
    evalLast: lossText.describe('Loss on the held-out rows at the last evaluation.'),
  })
  .partial()
  .describe('Loss at the beginning and now.')

const attemptSchema = z
  .object({
    number: z.int().min(1).describe('Number of the attempt, the first is 1.'),
    job: shortText.describe('Its Job.'),
    pod: shortText.optional().describe('Its pod.'),
    node: shortText.optional().describe('The node its pod ran on.'),
    startedTime: timestamp('When the attempt was started.'),
    finishedTime: timestamp('When the attempt ended.').optional(),
    state: z.enum(['Running', 'Completed', 'Preempted', 'Failed', 'Suspended']).describe('Running, or how it ended: Completed, Preempted, Failed or Suspended.'),
    reason: shortText.optional().describe('Why it ended, in one word, such as HostOutOfMemory.'),
    exitCode: z.int().min(0).max(255).optional().describe('Exit code of its training container.'),
    fromStep: count.optional().describe('The step of the checkpoint it continued from; 0 is the beginning.'),
    lastStep: count.optional().describe('The last step it did.'),
    message: z.string().max(4096).optional().describe('What happened.'),
  })
  .describe('One try to train; each continues from the newest checkpoint.')

export const trainingRunStatusSchema = z
  .object({
    observedGeneration,
    state: z.string().min(1).max(64).describe('The state in one word: the reason of the condition Ready, such as Preparing, Running, Suspended, Succeeded. A field selector can use it: kubectl get trainingruns --field-selector status.state=Running.'),
    conditions: conditionsSchema,
    resolved: resolvedSchema,
    data: dataStatusSchema,
    progress: progressSchema,
    loss: lossSchema,
    attempts: z.array(attemptSchema).max(20).meta({ description: 'The last 20 attempts.', ...listMap('number') }),
    artifacts: z.array(artifactSchema).max(64).meta({ description: 'The result in the artifact store. It stays there when this resource is deleted.', ...listMap('name') }),
  })
  .partial()
  .describe('What the operator observed. Written by the operator alone.')

export const trainingRunSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('TrainingRun'),
  metadata: objectMetaSchema,
  spec: trainingRunSpecSchema,
  status: trainingRunStatusSchema.optional(),
})

export type TrainingRunSpec = Immutable<z.infer<typeof trainingRunSpecSchema>>
export type TrainingRunStatus = Immutable<z.infer<typeof trainingRunStatusSchema>>
export type TrainingRunAttempt = Immutable<z.infer<typeof attemptSchema>>
export type TrainingRunProgress = Immutable<z.infer<typeof progressSchema>>
export type TrainingRunResolved = Immutable<z.infer<typeof resolvedSchema>>

export type TrainingRun = Readonly<{
  apiVersion: typeof API_VERSION
  kind: 'TrainingRun'
  metadata: ObjectMeta
  spec: TrainingRunSpec
  status?: TrainingRunStatus | undefined
}>

export const TrainingRunType = resourceType<TrainingRun>({ apiVersion: API_VERSION, kind: 'TrainingRun', plural: 'trainingruns', scope: 'Namespaced' })

/** Reads a TrainingRun from the API; unknown fields are dropped. Throws UnreadableObject naming each field that does not fit. */
export function parseTrainingRun(raw: KubeObject): TrainingRun {
  return parseObject('TrainingRun', trainingRunSchema, raw)
}
