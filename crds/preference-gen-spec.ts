// What a person writes into a PreferenceGen.
import { z } from 'zod'
import { ASKER_BUDGET, budgetSchema, gpusToLimit } from './budget.ts'
import { checked, cleanupSchema, configMapKeySchema, exactlyOneOf, immutableFields, listAtomic, listSet, s3FileSchema, seed } from './common.ts'
import { gradedInstances, imagesSchema, parallelism, sandboxSchema } from './grading.ts'
import { drawn, generationSchema } from './generation.ts'
import { ROW_FILES, rowSources } from './instances.ts'
import { promptFields, promptRules } from './prompting.ts'
import { splitSchema } from './training-run-data.ts'

const instancesSchema = z
  .object(gradedInstances)
  .meta({
    description: `The instances that the patches are for; their issue texts become prompts. Give ${ROW_FILES}.`,
    ...checked(exactlyOneOf('configMap', 's3', 'hub')),
  })

const predictionsSchema = z
  .object({ configMap: configMapKeySchema.optional(), s3: s3FileSchema.optional() })
  .meta({
    description: 'Patches that a model has made, several for each instance: exactly one of configMap and s3. Files are preds.json (by instance_id, or a list) or jsonl with instance_id, model_patch and model_name_or_path, as swebench and its agents write them, or the list of SWE-bench Pro; several of one instance_id are samples. A folder of an S3 store may hold trajectories too, .traj of SWE-agent and .traj.json of mini-swe-agent: each is a sample.',
    ...checked(exactlyOneOf('configMap', 's3')),
  })

const pairsSchema = z
  .object({
    chosen: z
      .enum(['Passing', 'Gold'])
      .optional()
      .describe('Which patches are the better answers. Passing: samples that resolve their instance, again when they are graded once more, and whose logs bear that out. Gold: the gold patch of each instance, where it resolves the instance here; for instances that no sample resolves. Default: Passing.'),
    rejected: z
      .array(z.enum(['Failing', 'PatchDoesNotApply']).describe('Failing: graded by its tests, and not resolved. PatchDoesNotApply: not applied by any of the official commands; teaches the format.'))
      .min(1)
      .max(2)
      .meta({ description: 'Which samples are the worse answers. Lost sandboxes, time-outs and verdicts in doubt never are. Default: ["Failing"].', ...listSet })
      .optional(),
    maxPerInstance: z.int().min(1).max(64).optional().describe('Most pairs of one instance, so that easy ones do not outweigh the others. Those whose rejected patch came nearest are taken first. Default: 3.'),
    lengthBalance: z
      .enum(['EachPair', 'AllPairs'])
      .optional()
      .describe('Which of equally near rejected patches is taken, so that length is not what is learnt. EachPair: the one whose length is nearest to that of the chosen patch. AllPairs: the one that keeps chosen patches, on average over all pairs, as long as rejected ones; for models whose failing patches tend to be longer, or shorter. No pair is left out for its lengths; status.lengthRatio tells the outcome. Default: EachPair.'),
    seed: seed('Seed of what is left to choose. Default: 42.').optional(),
  })
  .describe('How graded samples become pairs.')

const trajectoriesSchema = z
  .object({
    style: z.enum(['XML', 'Ticks']).describe('How the agent\'s actions are written into its turns: XML as tags of functions and parameters, Ticks as one command in a fenced block, which takes agents that do one thing in a turn.'),
    maxPerInstance: z.int().min(1).max(64).optional().describe('Most conversations of one instance, chosen by pairs.seed. Default: 3.'),
  })
  .describe('With samples that are trajectories (.traj of SWE-agent, .traj.json of mini-swe-agent in a folder of an S3 store): the conversations of those that resolve, as rows of messages to train on (trajectories.jsonl), in the shape of SWE-smith.')

const exportSchema = z.object({ trajectories: trajectoriesSchema.optional() }).describe('What is left beside the pairs. Default: nothing further.')

const evaluationRowsSchema = z
  .object({
    ...rowSources,
    format: z.enum(['SWEBench', 'SWESmith', 'SWEBenchPro']).describe('The columns, as in spec.instances.format. Of them instance_id is needed; what else is there is compared: base_commit, patch, problem_statement, FAIL_TO_PASS, pull_number, issue_numbers.'),
  })
  .meta({ description: `Rows of one evaluation. Give ${ROW_FILES}.`, ...checked(exactlyOneOf('configMap', 's3', 'hub')) })

const decontaminationSchema = z
  .object({
    against: z
      .array(evaluationRowsSchema)
      .min(1)
      .max(8)
      .meta({
        description: 'The evaluations that the model will be judged by, such as {"hub": {"repo": "SWE-bench/SWE-bench_Verified", "split": "test"}, "format": "SWEBench"}; 10,000 rows in all at most. An instance is left out that has the id, the pull request or issue, or the base commit of a row, whose gold patch is the same change or has 80 % of the changed lines in common, or whose issue is told in the same words; of the other instances, samples whose patch is like a gold patch of these rows, or whose trajectory names one of their FAIL_TO_PASS tests.',
        ...listAtomic,
      }),
  })
  .describe('Leaves out what is like the rows of evaluations. Without it only the repositories of the public evaluation sets are left out, as allowEvaluationSets says. status.data.removed counts what was left out by rule, and decontamination.jsonl among the artifacts names it.')

const shape = {
  instances: instancesSchema,
  predictions: predictionsSchema.optional(),
  generation: generationSchema(drawn.PreferenceGen).optional(),
  ...promptFields,
  pairs: pairsSchema.optional(),
  split: splitSchema.optional().describe('Divides the pairs into train.jsonl and test.jsonl as well; no instance is on both sides. Default: no division, a TrainingRun makes its own.'),
  export: exportSchema.optional(),
  allowEvaluationSets: z
    .boolean()
    .optional()
    .describe('true takes instances of the repositories that SWE-bench, its Verified, Lite, Multilingual and Multimodal sets and SWE-bench Pro are made of; a model that learns from these can no longer be measured with them. false leaves such instances out, and status.data.evaluationSets counts them. Default: false.'),
  decontamination: decontaminationSchema.optional(),
  sandbox: sandboxSchema.optional(),
  images: imagesSchema.optional(),
  parallelism: parallelism.optional(),
  budget: budgetSchema({ ...ASKER_BUDGET, held: `${ASKER_BUDGET.held} What its evaluation takes counts too.` }).optional(),
  cleanup: cleanupSchema.optional(),
  suspend: z.boolean().optional().describe('true lets running sandboxes finish and starts nothing. Can be changed at any time. Default: false.'),
}

export const preferenceGenSpecSchema = z
  .object(shape)
  .meta({
    description: 'Which patches are graded, those of a file or new ones, and how pairs are made of them. Immutable but for parallelism, suspend, budget and cleanup.',
    ...checked(exactlyOneOf('predictions', 'generation'), gpusToLimit, ...promptRules, ...immutableFields('PreferenceGen', shape, ['parallelism', 'suspend', 'budget', 'cleanup'])),
  })
