// What the operator writes about a PreferenceGen.
import { z } from 'zod'
import { artifactSchema, badRowExamplesSchema, conditionsSchema, frozenSourceSchema, listAtomic, listMap, listSet, observedGeneration, timestamp } from './common.ts'
import { originSchema } from './from-run.ts'
import { ownEvaluationSchema } from './own-evaluation.ts'
import { generatedSchema, resolvedGeneration, resolvedPrices, servingCost, servingStatusSchema } from './generation-status.ts'

const count = z.int().min(0)
const rate = z.string().max(16)

const resolvedSchema = z
  .object({
    harnessVersion: z.string().max(64).describe('Version of the swebench package that grades.'),
    selectSeed: count.describe('Seed of the choice of instances.'),
    chosen: z.enum(['Passing', 'Gold']).describe('Which patches are the better answers.'),
    rejected: z.array(z.enum(['Failing', 'PatchDoesNotApply']).describe('A kind of patch.')).max(2).meta({ description: 'Which samples are the worse answers.', ...listSet }),
    maxPerInstance: count.describe('Most pairs of one instance.'),
    lengthBalance: z.enum(['EachPair', 'AllPairs']).describe('Where lengths are balanced: within each pair, or over all of them.'),
    pairSeed: count.describe('Seed of the choice of pairs.'),
    splitSeed: count.describe('Seed of the division into train and test.'),
    ...resolvedGeneration,
    ...resolvedPrices,
  })
  .partial()
  .describe('The values in force: what spec says, and the default where it says nothing.')

const removedSchema = z
  .object({
    rule: z.string().min(1).max(64).describe('Repository, Mirror, Id and Fork: by a name of its repository. InstanceId, PullRequest, BaseCommit, SamePatch, SimilarPatch, IssueText and TestIds: like a row of spec.decontamination.against.'),
    instances: count.describe('Instances that it left out.'),
    samples: count.describe('Samples that it left out: those for these instances, and single ones for others.'),
  })
  .describe('What one rule left out.')

const decontaminationSchema = z
  .object({
    rows: count.describe('Rows that were compared with.'),
    badRows: count.describe('Rows without an instance_id, or not readable.'),
    sources: z.array(frozenSourceSchema).max(8).meta({ description: 'Where they were read, in the order of the specification.', ...listAtomic }),
  })
  .describe('With spec.decontamination: the rows of evaluations that instances and samples were compared with.')

const dataSchema = z
  .object({
    instances: count.describe('Instances with samples, of those that are selected and may be learned from.'),
    samples: count.describe('Samples in the file.'),
    uniquePatches: count.describe('Different patches of these instances: what is graded.'),
    emptyPatches: count.describe('Samples without a patch.'),
    withoutSample: count.describe('Selected instances that no sample is for.'),
    unknownIds: count.describe('Samples for instances that do not exist.'),
    duplicates: count.describe('Samples that were there twice, byte for byte.'),
    notSelected: count.describe('Samples for instances that exist and were not selected.'),
    evaluationSets: count.describe('Instances left out because their repository is one of an evaluation set.'),
    removed: z.array(removedSchema).max(16).meta({ description: 'What was left out because a model is judged by it, by rule; the first rule that holds counts.', ...listMap('rule') }),
    decontamination: decontaminationSchema,
    badRows: count.describe('Rows of instances that cannot be used.'),
    badPredictions: count.describe('Rows of samples that cannot be read.'),
    badRowExamples: badRowExamplesSchema,
    prefix: z.string().max(256).describe('Where the prepared samples lie, below the prefix of this resource.'),
    tableUri: z.string().max(2048).describe('All of this as a table to read, in the artifact store.'),
    source: frozenSourceSchema,
    predictionsSource: frozenSourceSchema,
  })
  .partial()
  .describe('What the preparation found.')

const countsSchema = z
  .object({
    instances: count.describe('Instances with samples.'),
    samples: count.describe('Samples for them, each counted.'),
    uniquePatches: count.describe('Different patches among them.'),
    resolved: count.describe('Samples that resolve their instance.'),
    allPass: count.describe('Instances that every graded sample resolves: nothing to reject.'),
    allFail: count.describe('Instances that no sample resolves: nothing to choose, unless gold patches are chosen.'),
    withPairs: count.describe('Instances with at least one pair.'),
    pairs: count.describe('Pairs of a chosen and a rejected patch.'),
    trainPairs: count.optional().describe('Of them, those in train.jsonl.'),
    testPairs: count.optional().describe('Of them, those in test.jsonl.'),
    sftRows: count.optional().describe('Rows of sft.jsonl: resolving samples alone.'),
    trajectoryRows: count.optional().describe('Rows of trajectories.jsonl: conversations of resolving samples.'),
  })
  .describe('What became of instances and samples.')

const droppedSchema = z
  .object({ reason: z.string().max(64).describe('Why, in one word.'), count: count.describe('How many samples.') })
  .describe('Samples that are in no pair.')

const passAtKSchema = z
  .object({ k: z.int().min(1).describe('Number of samples.'), value: rate.describe('Estimate of the probability that one of k samples resolves its instance.') })
  .describe('Of the model that made the samples.')

const costSchema = z
  .object({
    pods: count.describe('Sandboxes that were started.'),
    cpuSeconds: count.describe('Cores asked for times seconds, of all sandboxes.'),
    memoryGiBSeconds: count.describe('GiB of memory times seconds, of all sandboxes.'),
    ...servingCost,
  })
  .describe('What the sandboxes and the server of the model took.')

export const preferenceGenStatusSchema = z
  .object({
    observedGeneration,
    state: z.string().min(1).max(64).describe('The state in one word: the reason of the condition Ready, such as Preparing, Grading, Pairing, Succeeded.'),
    conditions: conditionsSchema,
    resolved: resolvedSchema,
    fromRun: originSchema('spec.generation.model.fromRun'),
    serving: servingStatusSchema,
    generation: generatedSchema,
    data: dataSchema,
    evaluation: ownEvaluationSchema('grades the samples'),
    counts: countsSchema,
    yield: rate.describe('Pairs for each sample, as a decimal number.'),
    lengthRatio: rate.describe('How many times as long as the rejected patches the chosen ones are, as the geometric mean over pairs: far from 1, length is learnt with the rest.'),
    passAtK: z.array(passAtKSchema).max(16).meta({ description: 'Estimates of pass@k of the samples for k up to their number, 16 at most.', ...listMap('k') }),
    dropped: z.array(droppedSchema).max(16).meta({ description: 'Samples that are in no pair, by why.', ...listMap('reason') }),
    cost: costSchema,
    startedTime: timestamp('When the grading began.'),
    finishedTime: timestamp('When the pairs were committed to the store.'),
    artifacts: z.array(artifactSchema).max(64).meta({ description: 'The pairs and reports in the artifact store. They stay there when this resource is deleted.', ...listMap('name') }),
  })
  .partial()
  .describe('What the operator observed. Written by the operator alone.')
