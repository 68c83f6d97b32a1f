// What a TrainingRun learns from, and how its rows are divided.
import { z } from 'zod'
import { checked, configMapKeySchema, exactlyOneOf, hubFolderSchema, objectName, s3FileSchema, seed } from './common.ts'
import { instanceSelectSchema, limit, ROW_FILES, rowSources, selectSeed } from './instances.ts'

const fileSelectSchema = z
  .object({ limit: limit.optional(), seed: selectSeed.optional() })
  .describe('Which rows to use. Default: all.')

const instancesSchema = z
  .object({
    ...rowSources,
    format: z
      .enum(['SWEBench', 'SWEBenchPro', 'SWESmith'])
      .describe('The columns. SWEBench: instance_id, repo, problem_statement, patch, FAIL_TO_PASS, … SWEBenchPro: the same in lower case, lists as Python literals. SWESmith: patch is the bug, so the completion is its reverse.'),
    promptStyle: z.enum(['Pro']).optional().describe('How an instance becomes a prompt. Pro (default): one paragraph with the repository and the issue text; the completion is the gold patch.'),
    select: instanceSelectSchema.optional(),
  })
  .meta({
    description: `Instances of a software engineering benchmark; each becomes one pair of prompt (the issue) and completion (its gold patch). Give ${ROW_FILES}.`,
    ...checked(exactlyOneOf('configMap', 's3', 'hub')),
  })

const filesSchema = z
  .object({
    ...rowSources,
    format: z
      .enum(['Messages', 'PromptCompletion'])
      .describe('Messages: rows {"messages": [{"role", "content"}, …]}, the last message by the assistant. PromptCompletion: rows {"prompt", "completion"}; only the completion is learned. In both, instance_id and repo are optional.'),
    select: fileSelectSchema.optional(),
  })
  .meta({ description: `Your own rows. Give ${ROW_FILES}.`, ...checked(exactlyOneOf('configMap', 's3', 'hub')) })

const fromPreferenceGenSchema = z
  .object({ name: objectName('Name of a PreferenceGen in the same namespace, such as pairs.') })
  .describe('The pairs of a PreferenceGen. This run waits until that one is Complete; where its pairs lie is frozen in status.fromPreferenceGen, so that a later deletion of it changes nothing.')

const preferencesSchema = z
  .object({ ...rowSources, fromPreferenceGen: fromPreferenceGenSchema.optional(), select: fileSelectSchema.optional() })
  .meta({
    description: `Pairs of answers, for method DPO: rows {"prompt", "chosen", "rejected"}, all as text, or all as chat messages: prompt a list of {"role", "content"} that ends with what is answered, chosen and rejected one message of the assistant each. instance_id and repo are optional. Give exactly one of configMap, s3, hub and fromPreferenceGen. Files are jsonl, json or parquet, by the ending of their name.`,
    ...checked(exactlyOneOf('configMap', 's3', 'hub', 'fromPreferenceGen')),
  })

const fromEvalSchema = z
  .object({ name: objectName('Name of a SWEBenchEval in the same namespace, such as samples.') })
  .describe('The SWEBenchEval. This run waits until that one is Complete; where its resolved predictions lie is frozen in status.fromEval, so that a later deletion of it changes nothing.')

const trajectoriesSchema = z
  .object({
    configMap: configMapKeySchema.optional(),
    s3: s3FileSchema.optional(),
    hub: hubFolderSchema.optional(),
    fromEval: fromEvalSchema.optional(),
    onlyResolved: z
      .boolean()
      .optional()
      .describe('Of a folder. true learns from the attempts alone that a report of an evaluation beside them counts as resolved: the summary of the official harness or of sb-cli (a .json with resolved_ids), which SWE-agent leaves as results.json, in the folder of the trajectory or the nearest one above. A folder without a report is refused. false learns from all, whatever came of them. Default: true.'),
    style: z
      .enum(['XML', 'Ticks'])
      .optional()
      .describe('How conversations of trajectories (.traj of SWE-agent, .traj.json of mini-swe-agent) become rows of messages: with the actions of the agent written as XML tags of functions and parameters or, Ticks, as one command in a fenced block. The model needs a chat template; sequence.lossOn AssistantMessages learns what the agent said alone. With fromEval a prediction without a conversation is its prompt and its patch. Default: XML; with fromEval the prompt and the patch of every prediction.'),
    maxPerInstance: z.int().min(1).max(64).optional().describe('Most rows of one instance, chosen by select.seed, so that easy ones do not outweigh the others. Default: 3.'),
    allowEvaluationSets: z.boolean().optional().describe('true learns from instances of the repositories that SWE-bench and its sets are made of too; what is trained so can no longer be measured with them. false refuses their rows and counts them in status.data.badRows. Default: false.'),
    select: fileSelectSchema.optional(),
  })
  .meta({
    description: 'Attempts of a model: exactly one of configMap, s3, hub and fromEval. fromEval is rejection sampling: the predictions that a SWEBenchEval resolved, each change of an instance once; only those count that every grading resolved, whose log bears that out, and whose instance its baselines do not disprove. The others are folders of trajectories as SWE-agent and mini-swe-agent leave them, each conversation of an instance once, from its first message to the last one of the agent; of a ConfigMap one file.',
    ...checked(
      exactlyOneOf('configMap', 's3', 'hub', 'fromEval'),
      { rule: '!has(self.onlyResolved) || !has(self.fromEval)', message: 'onlyResolved is of folders: what fromEval names is resolved: leave it out', fieldPath: '.onlyResolved' },
      { rule: '!has(self.configMap) || (has(self.onlyResolved) && !self.onlyResolved)', message: 'onlyResolved must be false for a ConfigMap, which holds one trajectory and no report of it' },
    ),
  })

export const dataSchema = z
  .object({ instances: instancesSchema.optional(), files: filesSchema.optional(), preferences: preferencesSchema.optional(), trajectories: trajectoriesSchema.optional() })
  .meta({ description: 'What to learn from: exactly one of instances, files, preferences and trajectories.', ...checked(exactlyOneOf('instances', 'files', 'preferences', 'trajectories')) })

export const splitSchema = z
  .object({
    trainPercent: z.int().min(1).max(99).optional().describe('Share of the units (see by) that is trained on, in percent; the rest is held out for evaluation. Default: 90.'),
    by: z
      .enum(['Instance', 'Repository'])
      .optional()
      .describe('What is never divided between the two sides. Instance (default): one row, or all pairs of one instance_id or, without it, of one prompt. Repository: all rows of a repository, so that the held-out rows come from code never seen; rows of data.files and data.preferences name theirs in an optional field repo.'),
    seed: seed('Seed of the division. Default: spec.seed.').optional(),
  })
  .describe('How rows are divided into a training and a held-out part. The division depends on the seed and the rows alone, so every attempt gets the same.')

const longText = z.string().max(2048)

export const pairsSchema = z
  .object({
    name: z.string().max(256).describe('The PreferenceGen that made them.'),
    uid: z.string().max(64).describe('Its uid: another one of that name is another one.'),
    uri: longText.describe('Where the pairs lie in the artifact store.'),
    sha256: z.string().min(64).max(64).regex(/^[0-9a-f]{64}$/).describe('SHA-256 of the file; another one is refused.'),
    pairs: z.int().min(1).describe('How many they are.'),
  })
  .describe('The pairs of data.preferences.fromPreferenceGen, frozen when that one was complete. Whatever becomes of it later changes nothing.')

export const resolvedPredictionsSchema = z
  .object({
    name: z.string().max(256).describe('The SWEBenchEval that resolved them.'),
    uid: z.string().max(64).describe('Its uid: another one of that name is another one.'),
    uri: longText.describe('Where they lie in the artifact store.'),
    sha256: z.string().min(64).max(64).regex(/^[0-9a-f]{64}$/).describe('SHA-256 of the file; another one is refused.'),
    resolved: z.int().min(1).describe('How many predictions it resolved; those whose log is in doubt are not in the file.'),
  })
  .describe('The predictions of data.trajectories.fromEval, frozen when that one was complete. Whatever becomes of it later changes nothing.')
