// What the operator writes about a TrainingRun.
import { z } from 'zod'
import { artifactSchema, badRowExamplesSchema, conditionsSchema, frozenSourceSchema, listAtomic, listMap, observedGeneration, timestamp } from './common.ts'
import { originSchema } from './from-run.ts'
import { ownEvaluationSchema } from './own-evaluation.ts'
import { pairsSchema, resolvedPredictionsSchema } from './training-run-data.ts'

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
    fineTuning: shortText.describe('What is trained: LoRA, QLoRA or Full.'),
    loraRank: count.describe('Rank of the adapter matrices.'),
    loraAlpha: count.describe('Scaling of the adapter.'),
    loraDropout: shortText.describe('Dropout on the adapter input.'),
    targetModules: z.string().max(8400).describe('Modules that get an adapter, separated by commas.'),
    algorithm: shortText.describe('The optimizer.'),
    maxGradNorm: shortText.describe('Norm that gradients are scaled down to.'),
    learningRate: shortText.describe('Peak learning rate.'),
    scheduler: shortText.describe('How the learning rate moves.'),
    warmupRatio: shortText.describe('Share of all steps over which the learning rate rises.'),
    weightDecay: shortText.describe('Weight decay of AdamW.'),
    perDevice: count.describe('Rows in one pass.'),
    gradientAccumulation: count.describe('Passes before one optimizer step.'),
    gradientCheckpointing: z.boolean().describe('Whether activations are computed again instead of kept.'),
    lossOn: shortText.describe('Which tokens are learned.'),
    dpoBeta: shortText.describe('How strongly the model is held to its reference.'),
    dpoLossType: shortText.describe('The loss of a comparison.'),
    dpoLabelSmoothing: shortText.describe('Share of pairs expected to be labelled the wrong way round.'),
    dpoReferenceLogProbs: shortText.describe('When the reference is asked.'),
    maxLength: count.describe('Longest row in tokens.'),
    evaluationStrategy: shortText.describe('When the held-out rows are evaluated.'),
    evaluationEverySteps: count.describe('Steps between evaluations.'),
    earlyStopPatience: count.describe('Evaluations without improvement that end the training; 0: never.'),
    earlyStopMinImprovement: shortText.describe('What counts as improvement.'),
    checkpointStrategy: shortText.describe('When checkpoints are written.'),
    checkpointResult: shortText.describe('Which checkpoint becomes the result.'),
    checkpointEverySteps: count.describe('Steps between checkpoints.'),
    checkpointKeep: count.describe('Checkpoints kept on disk.'),
    loggingEverySteps: count.describe('Steps between entries of the metric history.'),
    pool: shortText.describe('The pool of nodes.'),
    gpusPerNode: count.describe('GPUs of the training pod.'),
    gpuName: shortText.describe('The GPU of the pool.'),
    gpuMemoryGi: count.describe('Memory of one GPU of the pool, in GiB.'),
    pricePerGPUHour: shortText.describe('Price of one GPU for an hour.'),
    pricePerPodHour: shortText.describe('Price of the pod for an hour, beside its GPUs.'),
    currency: shortText.describe('Currency of the prices.'),
    sharedMemory: shortText.describe('Size of /dev/shm.'),
    queueName: shortText.describe('Kueue LocalQueue that admits the training Jobs.'),
    stallAfterSeconds: count.describe('Seconds without a step after which an attempt is ended.'),
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
    badRowExamples: badRowExamplesSchema.optional(),
    tokens: z
      .object({ p50: count.describe('The median.'), p90: count.describe('The length that 90 % of the rows do not exceed.'), max: count.describe('The longest row.') })
      .describe('Length of the rows in tokens of the model, before truncation.')
      .optional(),
    truncatedPercent: z.string().max(16).optional().describe('Share of rows longer than sequence.maxLength, in percent, such as "1.3".'),
    duplicatesAcrossSplit: count.optional().describe('Rows whose text stands on both sides of the split; more than 0 makes the evaluation look better than it is.'),
    leakedAcrossSplit: count.optional().describe('Held-out rows whose patch, or whose repository at the same commit, is also trained on; more than 0 makes the evaluation look better than it is.'),
    goldInPrompt: count.optional().describe('Rows whose prompt already contains lines of the gold patch.'),
    goldInPromptExamples: z.array(z.string().max(256).describe('An instance_id.')).max(5).meta({ description: 'The first of these rows, 5 at most.', ...listAtomic }).optional(),
    tableUri: z.string().max(2048).optional().describe('All of this as a table to read, in the artifact store.'),
    source: frozenSourceSchema.optional(),
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

function change(what: string) {
  return z
    .object({
      first: lossText.describe('Of the pairs trained on, at the first report.'),
      last: lossText.describe('Of the pairs trained on, at the last report.'),
      evalFirst: lossText.describe('Of the held-out pairs, at the first evaluation.'),
      evalLast: lossText.describe('Of the held-out pairs, at the last evaluation.'),
    })
    .partial()
    .describe(what)
}

const preferencesSchema = z
  .object({
    accuracy: change('Share of the pairs whose chosen answer has the higher reward, from 0 to 1, as a mean over the batches of the trainer. A tie counts as not, and before the first step all are ties.'),
    margin: change('Mean reward of the chosen answer less that of the rejected one, likewise.'),
  })
  .partial()
  .describe('How well chosen answers are told from rejected ones, with method DPO. The reward of an answer is dpo.beta times what its log-probability has gained over the reference.')

const earlierPodSchema = z
  .object({
    name: shortText.describe('The pod.'),
    node: shortText.optional().describe('The node it ran on.'),
    pool: shortText.optional().describe('The pool whose node it ran on.'),
    finishedTime: timestamp('When its program ended.'),
    seconds: count.describe('Seconds for which it occupied a node.'),
    cost: shortText.optional().describe('What it cost, at the price of its pool.'),
    fromStep: count.optional().describe('The step of the checkpoint it continued from.'),
    lastStep: count.optional().describe('The last step it did.'),
  })
  .describe('A pod that Kueue stopped; the attempt goes on in another one.')

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
    perDevice: count.optional().describe('Rows in one pass; smaller than batch.perDevice after CUDA out of memory.'),
    seconds: count.optional().describe('Seconds for which it occupied a node, so far.'),
    gpuSeconds: count.optional().describe('GPUs times seconds.'),
    cost: shortText.optional().describe('What it cost, at the price of its pool.'),
    pool: shortText.optional().describe('The pool whose node it ran on.'),
    earlierPods: z
      .array(earlierPodSchema)
      .max(20)
      .meta({ description: 'With a queue: pods of this attempt that Kueue stopped, the last 20. Their seconds and cost are part of the row.', ...listMap('name') })
      .optional(),
    message: z.string().max(4096).optional().describe('What happened.'),
  })
  .describe('One try to train; each continues from the newest checkpoint.')

const costSchema = z
  .object({
    seconds: count.describe('Seconds for which all attempts together occupied a node.'),
    gpuSeconds: count.describe('GPUs times seconds, of all attempts.'),
    amount: shortText.optional().describe('What all attempts cost so far. Absent: the pool has no price.'),
    currency: shortText.optional().describe('Currency of the amounts.'),
    estimatedSeconds: count.optional().describe('Seconds that the whole run will occupy a node, at the pace of the steps so far.'),
    estimatedAmount: shortText.optional().describe('What the whole run will cost, at the pace of the steps so far.'),
    budgetUsedPercent: count.optional().describe('Used share of the limit of spec.budget that is nearest, in percent.'),
  })
  .describe('What the run costs: the price of its pool for the time that its training pods occupied a node.')

const perplexitySchema = z
  .object({
    value: shortText.optional().describe('Perplexity of the result on the held-out rows: exp of the mean loss of a token.'),
    low: shortText.optional().describe('Lower end of its 95 % interval, by bootstrap over rows.'),
    high: shortText.optional().describe('Upper end of its 95 % interval.'),
    rows: count.optional().describe('Held-out rows.'),
    tokens: count.optional().describe('Tokens whose loss counts.'),
    reason: shortText.optional().describe('Why there is no value.'),
  })
  .describe('How well the result predicts the held-out rows; comparable between runs with the same tokenizer and rows.')

const bestCheckpointSchema = z
  .object({
    step: count.describe('Its optimizer step.'),
    evalLoss: lossText.describe('Its loss on the held-out rows.'),
    uri: z.string().max(2048).optional().describe('Where it lies in the artifact store.'),
  })
  .describe('The checkpoint with the lowest loss on the held-out rows.')

const gateSchema = z
  .object({
    evaluation: ownEvaluationSchema('measures the result'),
    source: frozenSourceSchema.optional().describe('Where its instances were read from, as that was frozen.'),
    instances: count.optional().describe('Instances that the result was asked about.'),
    resolvedRate: shortText.optional().describe('Its strict resolve rate.'),
    low: shortText.optional().describe('Lower end of the 95 % interval of that rate.'),
    high: shortText.optional().describe('Upper end of its 95 % interval.'),
    baseline: z
      .object({
        name: shortText.describe('The evaluation of spec.gate.noWorseThan.'),
        resolvedRate: shortText.optional().describe('Its strict resolve rate.'),
        difference: shortText.describe('Difference of the resolve rates over the instances that have a verdict in both; negative where the result resolves fewer.'),
        pValue: shortText.describe("McNemar's exact two-sided p of that."),
      })
      .optional()
      .describe('What the result was compared with.'),
    passed: z.boolean().optional().describe('Whether the result is good enough.'),
    message: z.string().max(1024).optional().describe('Why, with the figures.'),
  })
  .describe('With spec.gate: how the result was measured. What that took is in status.cost of the evaluation.')

const publishSchema = z
  .object({
    url: z.string().max(2048).describe('Page of the repository.'),
    revision: shortText.describe('The commit that holds the result and its model card.'),
    publishedTime: timestamp('When the operator learnt of it.'),
  })
  .describe('Where the result is on a hub.')

export const trainingRunStatusSchema = z
  .object({
    observedGeneration,
    state: z.string().min(1).max(64).describe('The state in one word: the reason of the condition Ready, such as Preparing, Running, Suspended, Succeeded. A field selector can use it: kubectl get trainingruns --field-selector status.state=Running.'),
    conditions: conditionsSchema,
    resolved: resolvedSchema,
    data: dataStatusSchema,
    model: frozenSourceSchema,
    fromRun: originSchema('spec.model.fromRun'),
    fromPreferenceGen: pairsSchema,
    fromEval: resolvedPredictionsSchema,
    progress: progressSchema,
    loss: lossSchema,
    preferences: preferencesSchema,
    perplexity: perplexitySchema,
    bestCheckpoint: bestCheckpointSchema,
    cost: costSchema,
    attempts: z.array(attemptSchema).max(20).meta({ description: 'The last 20 attempts.', ...listMap('number') }),
    gate: gateSchema,
    publish: publishSchema,
    artifacts: z.array(artifactSchema).max(64).meta({ description: 'The result in the artifact store. It stays there when this resource is deleted.', ...listMap('name') }),
  })
  .partial()
  .describe('What the operator observed. Written by the operator alone.')
