// What a person writes into a TrainingRun.
import { z } from 'zod'
import { budgetSchema } from './budget.ts'
import { checked, cleanupSchema, decimal, exactlyOneOf, immutableFields, labelText, listSet, type Rule, seed } from './common.ts'
import { cores, memory } from './quantities.ts'
import { dataSchema, splitSchema } from './training-run-data.ts'
import { dpoSchema } from './training-run-dpo.ts'
import { gateSchema } from './training-run-gate.ts'
import { modelSchema } from './training-run-model.ts'
import { publishSchema } from './training-run-publish.ts'

const loraSchema = z
  .object({
    rank: z.int().min(1).max(1024).optional().describe('Rank of the adapter matrices. An adapter of model.fromRun keeps its own. Default: 16.'),
    alpha: z.int().min(1).max(4096).optional().describe('Scaling of the adapter; it acts with the factor alpha / rank. An adapter of model.fromRun keeps its own. Default: 32.'),
    dropout: decimal('Dropout on the adapter input, from 0 to below 1, as a string. With method DPO there is none, so that model and reference do not differ by chance. Default: "0.05".', { below: 1, message: 'from 0 to below 1, such as "0.05"' }).optional(),
    targetModules: z
      .array(z.string().min(1).max(128).regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/).describe('Name of a module, such as q_proj.'))
      .min(1)
      .max(64)
      .meta({
        description: 'Modules that get an adapter, such as ["q_proj", "v_proj"]. Default: ["all-linear"], every linear layer but the output head; an adapter of model.fromRun keeps its own.',
        ...listSet,
        ...checked({ rule: "!('all-linear' in self) || size(self) == 1", message: 'all-linear stands alone: name it or single modules' }),
      })
      .optional(),
    quantization: z
      .enum(['None', 'NF4'])
      .optional()
      .describe('How the base model is held in memory. NF4: 4 bits a weight with double quantization (QLoRA); needs a GPU pool. Default: None.'),
  })
  .describe('Low-rank adapter (LoRA): the base model stays as it is, and the result is an adapter. {} takes all defaults, and continues the adapter that model.fromRun names. Absent: full fine-tuning, and the result is a whole model.')

const UNIT_RANGE = { atMost: 1, message: 'from 0 to 1, such as "0.03"' }

const optimizerSchema = z
  .object({
    algorithm: z
      .enum(['AdamW', 'PagedAdamW8Bit'])
      .optional()
      .describe('AdamW (default), or PagedAdamW8Bit: 8-bit states that move to host memory when the GPU is full; needs a GPU pool.'),
    learningRate: decimal('Peak learning rate, above 0 and at most 1, as a string such as "2e-4". Default: "2e-4", for full fine-tuning "2e-5"; with method DPO "5e-6" and "5e-7".', { above: 0, atMost: 1, message: 'above 0 and at most 1, such as "2e-4"' }).optional(),
    scheduler: z.enum(['Linear', 'Cosine', 'Constant']).optional().describe('How the learning rate moves after the warm-up: Linear or Cosine to 0, or Constant. Default: Cosine.'),
    warmupRatio: decimal('Share of all steps over which the learning rate rises from 0, from 0 to 1, as a string. Default: "0.03".', UNIT_RANGE).optional(),
    weightDecay: decimal('Weight decay of AdamW, from 0 to 1, as a string. Default: "0".', UNIT_RANGE).optional(),
    maxGradNorm: decimal('Gradients are scaled down to this norm, above 0 and at most 1000, as a string. Default: "1.0".', { above: 0, atMost: 1000, message: 'above 0 and at most 1000, such as "1.0"' }).optional(),
  })
  .describe('The optimizer and its learning rate.')

const batchSchema = z
  .object({
    perDevice: z.int().min(1).max(1024).optional().describe('Rows in one forward and backward pass of one GPU; a pair of preferences counts as one row and takes the memory of two. After CUDA out of memory the next attempt takes a smaller divisor of it and accumulates more, so that a step sees the same rows. Default: 1.'),
    gradientAccumulation: z.int().min(1).max(4096).optional().describe('Passes before one optimizer step, so perDevice × gradientAccumulation × gpusPerNode rows make one step. Default: 4.'),
    gradientCheckpointing: z.boolean().optional().describe('true computes activations again in the backward pass instead of keeping them: less memory, about a third more time. Default: true on a GPU pool, else false.'),
  })
  .describe('How many rows make one optimizer step.')

const durationSchema = z
  .object({
    maxSteps: z.int().min(1).max(10_000_000).optional().describe('Number of optimizer steps, such as 60.'),
    epochs: decimal('Passes over the training rows, above 0 and at most 1000, as a string such as "3" or "0.5".', { above: 0, atMost: 1000, message: 'above 0 and at most 1000, such as "3" or "0.5"' }).optional(),
  })
  .meta({ description: 'How long to train: exactly one of maxSteps and epochs.', ...checked(exactlyOneOf('maxSteps', 'epochs')) })

const sequenceSchema = z
  .object({
    maxLength: z.int().min(16).max(1_048_576).optional().describe('Longest row in tokens, prompt and completion together; longer rows are cut at the end and counted in status.data. Of a pair of preferences each side with its prompt. Default: 2048.'),
    lossOn: z
      .enum(['Completion', 'AssistantMessages', 'All'])
      .optional()
      .describe('Which tokens are learned. Completion: those of the completion; not for Messages. AssistantMessages: those of the assistant; for Messages, with a chat template that marks them. All: every token. Conversations of data.trajectories, which are there without fromEval or with a style, are Messages. Not with method DPO, which compares the answers. Default: All for Messages, else Completion.'),
  })
  .describe('Length of the training sequences, and what is learned of them.')

const everySteps = z.int().min(1).max(1_000_000)
const STRATEGY = z.enum(['No', 'Steps', 'Epoch'])

const earlyStopSchema = z
  .object({
    patience: z.int().min(1).max(1000).describe('Stop after this many evaluations in a row without improvement, such as 3.'),
    minImprovement: decimal('How much lower the loss must be to count as improved, from 0 to 100, as a string. Default: "0".', { atMost: 100, message: 'from 0 to 100, such as "0.01"' }).optional(),
  })
  .describe('Ends the training, successfully, when the loss on the held-out rows no longer falls. Absent: train to the end.')

const evaluationSchema = z
  .object({
    strategy: STRATEGY.optional().describe('When to evaluate: No, after every so many Steps, or after each Epoch. Default: Steps if everySteps is set, else Epoch.'),
    everySteps: everySteps.optional().describe('Evaluate after every this many optimizer steps. With strategy Steps. Default: none, evaluation after each epoch.'),
    earlyStop: earlyStopSchema.optional(),
  })
  .meta({
    description: 'Evaluation on the held-out rows while training. Absent: none.',
    ...checked(
      { rule: "!has(self.strategy) || (self.strategy == 'Steps') == has(self.everySteps)", message: 'everySteps must be set with strategy Steps, and with no other' },
      { rule: "!has(self.earlyStop) || !has(self.strategy) || self.strategy != 'No'", message: 'earlyStop needs evaluations: strategy Steps or Epoch' },
    ),
  })

const checkpointSchema = z
  .object({
    strategy: STRATEGY.optional().describe('When to write a checkpoint to the store: after every so many Steps, after each Epoch, or No: then an interrupted run starts again at step 0. Default: Steps.'),
    everySteps: everySteps.optional().describe('Write a checkpoint to the store after every this many optimizer steps. With strategy Steps. Default: 50.'),
    keep: z.int().min(1).max(100).optional().describe('How many of the newest checkpoints an attempt keeps on its disk. Default: 3.'),
    result: z
      .enum(['Last', 'Best'])
      .optional()
      .describe('Which checkpoint becomes the result: the Last one, or the Best one, with the lowest loss on the held-out rows; that needs a checkpoint at every evaluation. Default: Last.'),
  })
  .meta({
    description: 'Checkpoints: what a later attempt continues from after a preemption, a crash or a suspension.',
    ...checked({ rule: "!has(self.everySteps) || !has(self.strategy) || self.strategy == 'Steps'", message: 'everySteps goes with strategy Steps' }),
  })

const computeSchema = z
  .object({
    pool: labelText('Name of a pool of nodes from the configuration of the operator, such as a100-80-gke-spot; it says which nodes, which GPU and at which price. Default: any node, without a GPU.').optional(),
    gpusPerNode: z.int().min(1).max(16).optional().describe('GPUs of the training pod, one process each. Only with a pool that has GPUs. Default: 1.'),
    cpu: cores('CPU cores of the training pod, as a number or a quantity such as 2, "1.5" or "500m". Default: 1, on a GPU pool 8 for each GPU.').optional(),
    memory: memory('Memory of the training pod with its unit, such as 4Gi or 512Mi; request and limit are the same. Default: 4Gi, on a GPU pool 64Gi for each GPU.').optional(),
    sharedMemory: memory('Size of /dev/shm, which counts against memory. Only with a pool that has GPUs. Default: 8Gi.').optional(),
    priorityClassName: labelText('PriorityClass of the training pod. Default: that of the cluster.').optional(),
    queueName: labelText('Kueue LocalQueue that decides when the training pod may start, and on which nodes. The label kueue.x-k8s.io/queue-name on this resource counts as well. Default: none, the pod starts at once.').optional(),
    workloadPriorityClass: labelText('Kueue WorkloadPriorityClass of the training Jobs. Only with a queue. Default: that of the queue.').optional(),
  })
  .describe('What the training pod asks for.')

const BUDGET = {
  held: 'A run that reaches a limit writes a checkpoint and frees its node; raising the limit continues it.',
  maxCost: 'Most that all attempts together may cost, in the currency of the operator, as a string such as "250". Needs a pool with a price.',
  maxGPUHours: 'Most GPU-hours of all attempts together, as a string such as "64".',
  maxDuration: 'Longest time that all attempts together may occupy a node, such as 8h, 90m or 1h30m.',
}

const engineOptionsSchema = z
  .record(z.string(), z.string().max(512).describe('Its value as on the command line of TRL, such as "true", "5" or "0.1".'))
  .meta({ maxProperties: 64 })
  .describe('Further options of the engine by their own names, such as {"neftune_noise_alpha": "5"}: fields of SFTConfig or DPOConfig, by method, and of ModelConfig of TRL that no field of this resource sets. Checked before a training pod starts. Default: none.')

const specShape = {
  method: z.enum(['SFT', 'DPO']).describe('How to train. SFT: supervised fine-tuning on prompt and completion. DPO: direct preference optimisation on pairs of a chosen and a rejected answer (data.preferences), with the model that the run begins with as reference.'),
  engine: z.enum(['TRL']).describe('The library that trains. TRL: Hugging Face TRL, unmodified.'),
  suspend: z
    .boolean()
    .optional()
    .describe('true stops the run after a checkpoint and frees its pod; false continues from there. May be changed at any time. Default: false.'),
  seed: seed('Seed of everything random: adapter initialisation, order of rows, dropout. Default: 42.').optional(),
  model: modelSchema,
  data: dataSchema,
  split: splitSchema.optional(),
  dpo: dpoSchema.optional(),
  lora: loraSchema.optional(),
  optimizer: optimizerSchema.optional(),
  batch: batchSchema.optional(),
  duration: durationSchema,
  sequence: sequenceSchema.optional(),
  evaluation: evaluationSchema.optional(),
  checkpoint: checkpointSchema.optional(),
  logging: z
    .object({ everySteps: everySteps.optional().describe('Report loss and learning rate after every this many optimizer steps. Default: 1 up to 1000 steps, else 10.') })
    .optional()
    .describe('How finely the metric history is written.'),
  engineOptions: engineOptionsSchema.optional(),
  compute: computeSchema.optional(),
  gracePeriodSeconds: z.int().min(10).max(3600).optional().describe('Seconds the training pod gets to write a last checkpoint when it is stopped. Default: 120.'),
  budget: budgetSchema(BUDGET).optional(),
  gate: gateSchema.optional(),
  publish: publishSchema.optional(),
  cleanup: cleanupSchema.optional(),
  retries: z
    .object({
      limit: z.int().min(0).max(100).optional().describe('How many failed attempts, of the last 20 attempts, are repeated before the run is Failed. Preemptions and suspensions are not counted; five attempts in a row that get no further end the run in any case. Default: 3.'),
      stallAfterSeconds: z.int().min(60).max(86_400).optional().describe('An attempt that makes no step and no progress in an evaluation for this long is ended and repeated. Default: 1800.'),
    })
    .optional()
    .describe('What happens after an attempt failed.'),
}

const MUTABLE = ['suspend', 'budget', 'cleanup', 'gate', 'publish']

const acrossFields: readonly Rule[] = [
  onlyRemoved('gate'), // easier to pass is no gate
  onlyRemoved('publish'), // a change would hand the token of one author to the hub that another one names
  {
    rule: "!has(self.checkpoint) || !has(self.checkpoint.result) || self.checkpoint.result != 'Best' || (has(self.evaluation) && (!has(self.evaluation.strategy) || self.evaluation.strategy != 'No'))",
    message: 'checkpoint.result Best needs evaluations to choose by: set evaluation',
    fieldPath: '.checkpoint',
  },
  {
    rule: "!has(self.sequence) || !has(self.sequence.lossOn) || ((has(self.data.files) && self.data.files.format == 'Messages') || (has(self.data.trajectories) && (has(self.data.trajectories.style) || !has(self.data.trajectories.fromEval))) ? self.sequence.lossOn != 'Completion' : self.sequence.lossOn != 'AssistantMessages')",
    message: 'sequence.lossOn: Messages have no completion, and only Messages and data.trajectories with a style have AssistantMessages',
    fieldPath: '.sequence',
  },
  {
    rule: "(self.method == 'DPO') == has(self.data.preferences)",
    message: 'data.preferences goes with method DPO, which learns from nothing else',
    fieldPath: '.data',
  },
  { rule: "self.method == 'DPO' || !has(self.dpo)", message: 'dpo goes with method DPO: leave it out', fieldPath: '.dpo' },
  {
    rule: "self.method != 'DPO' || !has(self.sequence) || !has(self.sequence.lossOn)",
    message: 'sequence.lossOn: method DPO compares the answers, all of them: leave it out',
    fieldPath: '.sequence',
  },
  {
    rule: "self.method != 'DPO' || !has(self.lora) || !has(self.lora.dropout) || double(self.lora.dropout) == 0.0",
    message: 'lora.dropout: with method DPO model and reference would differ by chance: leave it out',
    fieldPath: '.lora',
  },
]

function onlyRemoved(field: string): Rule {
  return {
    rule: `!has(self.${field}) || (has(oldSelf.${field}) && self.${field} == oldSelf.${field})`,
    message: `spec.${field} can be removed, but neither added nor changed; create a new TrainingRun`,
    fieldPath: `.${field}`,
    reason: 'FieldValueForbidden',
  }
}

export const trainingRunSpecSchema = z
  .object(specShape)
  .meta({
    description: 'What to train. Everything but suspend, budget and cleanup is immutable, and gate and publish can be removed: another experiment is another TrainingRun.',
    ...checked(...immutableFields('TrainingRun', specShape, MUTABLE), ...acrossFields),
  })
