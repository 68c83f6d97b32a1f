// What the operator writes about a SWEBenchEval.
import { z } from 'zod'
import { artifactSchema, badRowExamplesSchema, conditionsSchema, frozenSourceSchema, listMap, observedGeneration, timestamp } from './common.ts'
import { originSchema } from './from-run.ts'
import { generatedSchema, resolvedGeneration, resolvedPrices, servingCost, servingStatusSchema } from './generation-status.ts'

const count = z.int().min(0)
const shortText = z.string().max(256)
const rate = z.string().max(16)

const resolvedSchema = z
  .object({
    harnessVersion: shortText.describe('Version of the swebench package that grades.'),
    timeoutSeconds: count.describe('Longest run of the tests of one prediction.'),
    pullTimeoutSeconds: count.describe('Longest wait for the image of an instance.'),
    cpu: shortText.describe('CPU cores of the tests.'),
    memory: shortText.describe('Memory of the tests.'),
    ephemeralStorage: shortText.describe('Disk of the tests.'),
    network: shortText.describe('What the tests may reach.'),
    isolation: shortText.describe('Whether sandboxes that are not isolated may grade.'),
    infrastructureRetries: count.describe('How often a prediction is graded again when its sandbox was lost.'),
    flakeReruns: count.describe('How often a verdict that may be due to a flaky test is graded again.'),
    selectSeed: count.describe('Seed of the choice of instances.'),
    baseline: z.enum(['Required', 'Cached', 'Skip']).describe('Whether gold patches and no-ops are graded too.'),
    cache: z.enum(['Use', 'Ignore']).describe('Whether verdicts of earlier evaluations count where these ran the same.'),
    pinDigests: z.enum(['Required', 'BestEffort', 'Never']).describe('Whether images run by digest.'),
    ...resolvedGeneration,
    ...resolvedPrices,
  })
  .partial()
  .describe('The values in force: what spec says, and the default where it says nothing.')

const dataSchema = z
  .object({
    instances: count.describe('Instances after selection, unusable ones not counted.'),
    predictions: count.describe('Predictions in the file, or one for each instance with gold.'),
    toRun: count.describe('Predictions that get a sandbox, or need none because an earlier evaluation ran the same.'),
    baselines: count.describe('Gold patches and no-ops beside them: two for each instance, or none.'),
    emptyPatches: count.describe('Predictions without a patch, which count as empty_patch and never run.'),
    withoutPrediction: count.describe('Instances that nobody made a prediction for: incomplete.'),
    unknownIds: count.describe('Predictions for instances that do not exist. They are named in the summary.'),
    duplicates: count.describe('Predictions that were there twice, byte for byte.'),
    badPredictions: count.describe('Rows of predictions that cannot be read; named in the summary.'),
    notSelected: count.describe('Predictions for instances that exist and were not selected.'),
    images: count.describe('Different images of the instances.'),
    pinnedImages: count.describe('Of them, those that run by digest.'),
    unpinnedImageExamples: z
      .array(z.object({ name: z.string().max(512).describe('Name of the image.'), reason: z.string().max(512).describe('Why there is no digest of it.') }).describe('An image that runs by its name.'))
      .max(5)
      .meta({ description: 'The first images whose digest could not be had, 5 at most; all reasons are in the summary.', ...listMap('name') }),
    badRows: count.describe('Rows of instances that cannot be used; all are listed in the store under data/.'),
    badRowExamples: badRowExamplesSchema,
    prefix: shortText.describe('Where the prepared predictions lie, below the prefix of this evaluation.'),
    tableUri: z.string().max(2048).describe('All of this as a table to read, in the artifact store.'),
    source: frozenSourceSchema,
    predictionsSource: frozenSourceSchema,
  })
  .partial()
  .describe('What the preparation found.')

const progressSchema = z
  .object({
    percent: z.int().min(0).max(100).describe('Share of the predictions and baselines that have ended, in percent.'),
    running: count.describe('Sandboxes at work.'),
    waiting: count.describe('Predictions and baselines that have not been tried yet, or wait for their next try.'),
    perMinute: rate.optional().describe('Predictions and baselines that ended in a minute, since this operator process took over.'),
    etaSeconds: count.optional().describe('Seconds until the last one at this pace.'),
    blocked: z.string().max(1024).optional().describe('Why further sandboxes wait right now.'),
  })
  .describe('How far the grading is.')

const countsSchema = z
  .object({
    total: count.describe('Predictions, and instances without one.'),
    submitted: count.describe('Predictions for selected instances.'),
    completed: count.describe('Graded by their tests: resolved plus unresolved.'),
    resolved: count.describe('All FAIL_TO_PASS tests pass now, and all PASS_TO_PASS tests still do.'),
    unresolved: count.describe('Graded, and not resolved.'),
    error: count.describe('The official state error: the patch did not apply, the tests ran out of time, memory or disk, or left no result.'),
    emptyPatch: count.describe('Without a patch; never run.'),
    incomplete: count.describe('Without a verdict: no prediction, or a sandbox that was lost each time. Never counted as a wrong patch in the valid-only rate.'),
    excluded: count.describe('Of incomplete: not run, because instances.quality is Proven and their instance is not.'),
    cached: count.describe('Of completed and error: not run, because an earlier evaluation of this namespace ran the same. Its verdict counts.'),
    patchApplyFailed: count.describe('Of error: the patch did not apply.'),
    timedOut: count.describe('Of error: the tests ran longer than they may.'),
    outOfMemory: count.describe('Of error and unresolved: the tests took more memory than they may, twice.'),
    diskFull: count.describe('Of error: the tests wrote more than they may.'),
    infrastructureRetries: count.describe('Sandboxes that were lost and whose prediction was graded again.'),
  })
  .partial()
  .describe('Predictions by the state they are in, with the official names. Baselines are in none of these figures.')

const dryRunSchema = z
  .object({
    submitted: count.describe('Predictions for selected instances.'),
    checked: count.describe('Of them, those that were looked at to the end: the sum of the next four.'),
    ok: count.describe('They apply, and the Python files that they change compile. Of their tests nothing is known.'),
    doesNotParse: count.describe('They are no diffs, and no command applies them.'),
    doesNotApply: count.describe('Diffs that none of the official commands applies in the image of their instance.'),
    doesNotCompile: count.describe('They apply, and leave a Python file behind that does not compile.'),
    overLimits: count.describe('To apply or compile them took more time, memory or disk than it may.'),
    emptyPatches: count.describe('Without a patch.'),
    unchecked: count.describe('Lost to the cluster each time, or without an image.'),
  })
  .describe('With dryRun: what was found without running a test. In none of the official figures.')

const rateSchema = z
  .object({
    value: rate.describe('Resolved of all submitted instances, from 0 to 1: the strict, official rate.'),
    low: rate.describe('Lower end of its 95 % interval.'),
    high: rate.describe('Upper end of its 95 % interval.'),
    method: shortText.describe('How the interval was made: Wilson with one sample for each instance, Bootstrap over instances with several.'),
    audited: rate.describe('Resolved of all instances, counting only predictions that nothing speaks against: neither their logs, nor the looks at patches of support files, nor, with baselines, the run of the gold patch.'),
    validOnly: rate.describe('Resolved of the predictions that have a verdict; with baselines of those for valid instances alone, unknown ones left out.'),
  })
  .partial()
  .describe('How many of the instances were resolved.')

const baselineSchema = z
  .object({
    instances: count.describe('Instances whose gold patch and no-op are graded: those with a prediction that is.'),
    valid: count.describe('Of them, those that the gold patch resolves here and a patch that does nothing does not.'),
    goldFails: count.describe('Invalid: the gold patch does not resolve them here, whatever the reason: the image, the limits, the missing network, a test that fails by chance.'),
    noOpResolves: count.describe('Invalid: a patch that does nothing resolves them here.'),
    unknown: count.describe('A baseline was lost to the cluster each time, so that neither is proven.'),
    cached: count.optional().describe('Gold patches and no-ops that were not run, because an earlier evaluation of this namespace ran the same.'),
    examples: z
      .array(
        z
          .object({
            name: z.string().max(256).describe('The instance_id.'),
            reason: z.enum(['GoldFails', 'NoOpResolves', 'Unknown']).describe('Why it is not known to be valid.'),
            message: shortText.describe('How its gold patch and its no-op ended.'),
          })
          .describe('An instance that is not known to be valid.'),
      )
      .max(10)
      .optional()
      .meta({ description: 'The first of them, 10 at most; all are in report.html and baselines.jsonl.', ...listMap('name') }),
  })
  .describe('Which instances can be graded here at all, with baseline Required or Cached. Counted as the baselines end.')

const repositorySchema = z
  .object({
    name: z.string().max(256).describe('Its upstream, such as psf/requests.'),
    total: count.describe('Predictions for its instances; an instance without any counts as one.'),
    resolved: count.describe('Of them, those that resolve.'),
  })
  .describe('The predictions for the instances of one repository.')

const passAtKSchema = z
  .object({
    k: z.int().min(1).describe('Number of samples.'),
    atLeastOne: rate.describe('Estimate of pass@k, the probability that one of k samples resolves its instance.'),
    all: rate.describe('Estimate of pass^k, the probability that all k samples resolve their instance.'),
  })
  .describe('With several samples for each instance.')

const integritySchema = z
  .object({
    clean: count.describe('Nothing in the log speaks against the verdict.'),
    suspicious: count.describe('The log or the patch has something that an honest patch rarely does, such as a changed conftest.py or results without the summary of the runner.'),
    tampered: count.describe('With a proof, such as markers of the harness that its script did not print.'),
    unknown: count.describe('Not looked at.'),
  })
  .describe('Resolved predictions by what their logs bear out. The official verdicts stay as they are; reasons are in results.jsonl and report.html.')

const flakesSchema = z
  .object({
    rerun: count.describe('Predictions that were graded again, because their verdict may be due to a flaky test.'),
    disagreeing: count.describe('Of them, those that some of their gradings resolve and others do not.'),
    resolvedByVote: count.describe('Of them, those that more than half of their gradings resolve, though their verdict is another one.'),
  })
  .describe('With flakeReruns: what grading the same again has shown. The verdicts stay those of the first gradings.')

const leaksSchema = z
  .object({
    scanned: count.describe('Instances whose image was looked at, by the no-op of each.'),
    leaking: count.describe('Of them, those whose repository holds commits that the instance\'s own does not come from, whatever keeps them: who reads the history there may read the fix. baselines.jsonl names them.'),
  })
  .describe('With baselines: what the git histories in the images hold.')

const comparisonSchema = z
  .object({
    name: z.string().max(253).describe('Name of the other SWEBenchEval.'),
    uid: z.string().max(64).optional().describe('Its uid when it was compared.'),
    instances: count.optional().describe('Instances that have a verdict in both.'),
    difference: rate.optional().describe('Difference of the resolve rates over these instances, from -1 to 1; positive where this evaluation resolves more.'),
    low: rate.optional().describe('Lower end of its 95 % interval, by a paired bootstrap over instances.'),
    high: rate.optional().describe('Upper end of its 95 % interval.'),
    pValue: rate.optional().describe("McNemar's exact two-sided p; a sign test where instances have several samples."),
    wins: count.optional().describe('Instances resolved more often here.'),
    losses: count.optional().describe('Instances resolved more often there. Both are listed in comparison.json.'),
    problem: z.string().max(512).optional().describe('Why there is no comparison.'),
  })
  .describe('With an earlier evaluation.')

const costSchema = z
  .object({
    pods: count.describe('Sandboxes that were started, those of baselines among them.'),
    cpuSeconds: count.describe('Cores asked for times seconds, of all sandboxes, those of baselines among them.'),
    memoryGiBSeconds: count.describe('GiB of memory times seconds, of all sandboxes, those of baselines among them.'),
    cpuSecondsPerResolved: count.optional().describe('CPU seconds of sandboxes for each resolved prediction that ran, baselines included.'),
    ...servingCost,
  })
  .describe('What the sandboxes and the server of the model took.')

export const sweBenchEvalStatusSchema = z
  .object({
    observedGeneration,
    state: z.string().min(1).max(64).describe('The state in one word: the reason of the condition Ready, such as Generating, Preparing, Running, Reporting, Succeeded.'),
    conditions: conditionsSchema,
    resolved: resolvedSchema,
    fromRun: originSchema('spec.generation.model.fromRun'),
    serving: servingStatusSchema,
    generation: generatedSchema,
    data: dataSchema,
    startedTime: timestamp('When the first sandbox was allowed to start.'),
    finishedTime: timestamp('When the last prediction or baseline had its verdict.'),
    progress: progressSchema,
    counts: countsSchema,
    dryRun: dryRunSchema,
    resolvedRate: rateSchema,
    baseline: baselineSchema,
    repositories: z.array(repositorySchema).max(64).meta({ description: 'By repository, the largest first, 64 at most; all are in report.html.', ...listMap('name') }),
    passAtK: z.array(passAtKSchema).max(16).meta({ description: 'Estimates of pass@k and pass^k for k up to the number of samples, 16 at most.', ...listMap('k') }),
    integrity: integritySchema,
    flakes: flakesSchema,
    leaks: leaksSchema,
    comparisons: z.array(comparisonSchema).max(8).meta({ description: 'With the evaluations of spec.compareWith.', ...listMap('name') }),
    cost: costSchema,
    artifacts: z.array(artifactSchema).max(64).meta({ description: 'The reports in the artifact store. They stay there when this resource is deleted.', ...listMap('name') }),
  })
  .partial()
  .describe('What the operator observed. Written by the operator alone.')
