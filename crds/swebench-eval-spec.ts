// What a person writes into a SWEBenchEval.
import { z } from 'zod'
import { ASKER_BUDGET, budgetSchema, gpusToLimit } from './budget.ts'
import { checked, cleanupSchema, configMapKeySchema, exactlyOneOf, immutableFields, listSet, objectName, s3FileSchema } from './common.ts'
import { drawn, generationSchema } from './generation.ts'
import { gradedInstances, imagesSchema, parallelism, sandboxSchema } from './grading.ts'
import { ROW_FILES } from './instances.ts'
import { promptFields, promptRules } from './prompting.ts'

const instancesSchema = z
  .object({
    ...gradedInstances,
    quality: z
      .enum(['Proven', 'Any'])
      .optional()
      .describe('Proven keeps only instances whose gold patch resolves them here and whose no-op does not; it needs baseline: Required or Cached. The baselines run first. Predictions for other instances, and for those of which a baseline was lost to the cluster, are not run: they end as incomplete with the reason InstanceInvalid or InstanceUnproven, and status.counts.excluded counts them. The official figures are over all selected instances all the same. Default: Any.'),
  })
  .meta({
    description: `The instances of the benchmark that predictions are graded on; with generation, their issue texts become prompts. Give ${ROW_FILES}.`,
    ...checked(exactlyOneOf('configMap', 's3', 'hub')),
  })

const predictionsSchema = z
  .object({
    gold: z.object({}).optional().describe('Written as {}: the gold patch of every instance, to see what this cluster can grade at all.'),
    configMap: configMapKeySchema.optional(),
    s3: s3FileSchema.optional(),
  })
  .meta({
    description: 'The patches to grade: exactly one of gold, configMap and s3. Files are preds.json (by instance_id, or a list) or jsonl with instance_id, model_patch and model_name_or_path, as swebench and its agents write them, or the list of SWE-bench Pro with instance_id, patch and prefix; several of one instance_id are samples. A folder of an S3 store may hold trajectories too, .traj of SWE-agent and .traj.json of mini-swe-agent: each is a sample.',
    ...checked(exactlyOneOf('gold', 'configMap', 's3')),
  })

const shape = {
  instances: instancesSchema,
  predictions: predictionsSchema.optional(),
  generation: generationSchema(drawn.SWEBenchEval).optional(),
  ...promptFields,
  baseline: z
    .enum(['Required', 'Cached', 'Skip'])
    .optional()
    .describe('Required: the gold patch and a patch that does nothing are graded too, for each instance that a prediction is graded for, in the same image under the same limits. status.baseline then says which instances can be graded here at all, and status.resolvedRate.validOnly leaves the others out. It takes two more sandboxes for each instance; a row without a gold patch cannot be used. Cached: the same, but where an earlier evaluation of this namespace graded the same gold patch or no-op, in the same image under the same conditions, its verdict counts and no sandbox runs. Default: Skip.'),
  cache: z
    .enum(['Use', 'Ignore'])
    .optional()
    .describe('Use: a prediction is not run where an earlier evaluation of this namespace ran the same patch for the same instance, with the same image by digest, tests, limits, network, node selector and harness, and came to a verdict that another run would come to as well: resolved, not resolved, or a patch that does not apply. Its verdict counts, results.jsonl names where it came from, and status.counts.cached counts it. An image without a digest is always run. Ignore: every prediction is run, and leaves its verdict for later evaluations all the same. Of baselines, baseline decides. Default: Use.'),
  flakeReruns: z.int().min(1).max(20).optional().describe('How often the same patch is graded again where a flaky test may have decided: where all FAIL_TO_PASS tests pass and a PASS_TO_PASS test does not, where the tests ran out of time, and where an instance of knownFlaky is not resolved. The verdict of the first grading stands; the votes, and the probability that two gradings differ, are in results.jsonl and report.html, and status.flakes counts them. Default: none is graded again.'),
  knownFlaky: z
    .array(z.string().min(1).max(256).describe('An instance_id.'))
    .min(1)
    .max(1000)
    .meta({ description: 'Instances whose tests are known to be flaky, for flakeReruns. Default: none.', ...listSet })
    .optional(),
  confirmResolved: z
    .boolean()
    .optional()
    .describe('true grades every patch that resolves its instance once more, because a flaky test may have let it pass. The first verdict stands; the votes are in results.jsonl and report.html, and status.flakes counts those that differ. Where the patch changes files that tests are configured by, the looks at its parts take the place of that. Default: false.'),
  dryRun: z
    .boolean()
    .optional()
    .describe('true looks at predictions and runs no test: whether each is a diff, whether the official commands apply it in the image of its instance, and whether the Python files that it changes compile, by the interpreter of that image; files in other languages are not checked. Results are counts in status.dryRun, results.jsonl and report.html, and no rate or official report is made. Not together with flakeReruns, confirmResolved, baseline, instances.quality: Proven or compareWith. Default: false.'),
  sandbox: sandboxSchema.optional(),
  images: imagesSchema.optional(),
  compareWith: z
    .array(objectName('Name of a SWEBenchEval in the same namespace.'))
    .min(1)
    .max(8)
    .meta({ description: 'Earlier SWEBenchEvals of this namespace to compare the result with, instance by instance. The report waits until they are complete. Can be changed until then. Default: none.', ...listSet })
    .optional(),
  parallelism: parallelism.optional(),
  budget: budgetSchema(ASKER_BUDGET).optional(),
  cleanup: cleanupSchema.optional(),
  suspend: z.boolean().optional().describe('true lets running sandboxes finish and starts none. Can be changed at any time. Default: false.'),
}

const provenNeedsBaselines = {
  rule: "!has(self.instances.quality) || self.instances.quality != 'Proven' || (has(self.baseline) && self.baseline != 'Skip')",
  message: 'instances.quality Proven is known from baselines alone: set baseline: Required or Cached',
}

const styleNeedsGeneration = {
  rule: '!has(self.promptStyle) || has(self.generation)',
  message: 'promptStyle says how generation asks a model: leave it out with predictions',
}

const flakyNeedsReruns = {
  rule: '!has(self.knownFlaky) || has(self.flakeReruns)',
  message: 'knownFlaky says what flakeReruns grades again: set flakeReruns',
}

const IS_TESTED = '!has(self.dryRun) || !self.dryRun'

/** What has no meaning where no test is run, each with a rule and a message of its own. */
const dryRunRunsNoTests = [
  { rule: `${IS_TESTED} || !has(self.flakeReruns)`, message: 'dryRun runs no test that flakeReruns could run again: leave one of the two out' },
  { rule: `${IS_TESTED} || !has(self.confirmResolved) || !self.confirmResolved`, message: 'dryRun resolves nothing that confirmResolved could grade again: leave one of the two out' },
  { rule: `${IS_TESTED} || !has(self.baseline) || self.baseline == 'Skip'`, message: 'dryRun runs no test, and baseline needs those of gold patches: leave one of the two out' },
  { rule: `${IS_TESTED} || !has(self.instances.quality) || self.instances.quality != 'Proven'`, message: 'dryRun runs no test that could prove instances: leave it or instances.quality: Proven out' },
  { rule: `${IS_TESTED} || !has(self.compareWith)`, message: 'dryRun has no result that compareWith could compare: leave one of the two out' },
]

export const MUTABLE_OF_EVALS: readonly string[] = ['parallelism', 'suspend', 'budget', 'cleanup', 'compareWith']

export const sweBenchEvalSpecSchema = z
  .object(shape)
  .meta({ description: 'What is graded, predictions that are there or those that a model makes for it, and how. Immutable but for parallelism, suspend, budget, cleanup and compareWith.', ...checked(exactlyOneOf('predictions', 'generation'), styleNeedsGeneration, gpusToLimit, ...promptRules, provenNeedsBaselines, flakyNeedsReruns, ...dryRunRunsNoTests, ...immutableFields('SWEBenchEval', shape, MUTABLE_OF_EVALS)) })
