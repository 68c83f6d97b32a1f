// What kubectl shows of each kind; the fields themselves are in the kind's own file.
import type { KindDefinition } from './definition.ts'
import { preferenceGenSpecSchema } from './preference-gen-spec.ts'
import { preferenceGenStatusSchema } from './preference-gen-status.ts'
import { beginsWithLetter } from './generation.ts'
import { sweBenchEvalSpecSchema } from './swebench-eval-spec.ts'
import { sweBenchEvalStatusSchema } from './swebench-eval-status.ts'
import { gateRules } from './training-run-gate.ts'
import { notFromItself } from './training-run-model.ts'
import { trainingRunSpecSchema } from './training-run-spec.ts'
import { trainingRunStatusSchema } from './training-run-status.ts'

// 63 for a label value and a pod's host name, less the end of a child (`-prepare-99`); of what is longer the beginning is shortened.
const RUN_NAME_MAX = 52

const trainingRun: KindDefinition = {
  kind: 'TrainingRun',
  singular: 'trainingrun',
  plural: 'trainingruns',
  shortNames: ['trun'],
  description: 'TrainingRun trains one model on one set of rows and leaves the result in the artifact store. It survives preemption, crashes and restarts: each attempt continues from the newest checkpoint.',
  nameMaxLength: RUN_NAME_MAX,
  rules: [notFromItself, ...gateRules],
  spec: trainingRunSpecSchema,
  status: trainingRunStatusSchema,
  columns: [
    { name: 'State', type: 'string', jsonPath: '.status.state', description: 'The state in one word.' },
    { name: 'Progress%', type: 'integer', jsonPath: '.status.progress.percent', description: 'Share of the optimizer steps done, in percent.' },
    { name: 'Loss', type: 'string', jsonPath: '.status.loss.last', description: 'Training loss of the last report.' },
    { name: 'Attempt', type: 'integer', jsonPath: '.status.progress.attempt', description: 'The attempt that reported last.' },
    { name: 'Cost', type: 'string', jsonPath: '.status.cost.amount', description: 'What all attempts cost so far.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since creation.' },
    { name: 'Step', type: 'integer', jsonPath: '.status.progress.step', description: 'Optimizer steps done.', priority: 1 },
    { name: 'Steps', type: 'integer', jsonPath: '.status.progress.totalSteps', description: 'Optimizer steps of the whole run.', priority: 1 },
    { name: 'ETA', type: 'integer', jsonPath: '.status.progress.etaSeconds', description: 'Seconds until the last step.', priority: 1 },
    { name: 'Eval Loss', type: 'string', jsonPath: '.status.loss.evalLast', description: 'Loss on the held-out rows at the last evaluation.', priority: 1 },
    { name: 'Message', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message', description: 'What is happening.', priority: 1 },
  ],
  selectable: ['.spec.method', '.status.state'],
}

// 63 for a pod's host name, less the longest suffix of a child: uid, ordinal and attempt of a sandbox (`-0b5e7c1a-9999-20`).
const EVAL_NAME_MAX = 46

const sweBenchEval: KindDefinition = {
  kind: 'SWEBenchEval',
  singular: 'swebencheval',
  plural: 'swebenchevals',
  shortNames: ['sbe'],
  description: 'SWEBenchEval grades predictions, those of a file or of a model that it asks, with the official rules of SWE-bench, each in a sandbox of its own, and leaves the official reports in the artifact store. What a node or a registry did wrong is never counted against a patch.',
  nameMaxLength: EVAL_NAME_MAX,
  rules: [beginsWithLetter],
  spec: sweBenchEvalSpecSchema,
  status: sweBenchEvalStatusSchema,
  columns: [
    { name: 'State', type: 'string', jsonPath: '.status.state', description: 'The state in one word.' },
    { name: 'Progress%', type: 'integer', jsonPath: '.status.progress.percent', description: 'Share of the predictions and baselines that have ended, in percent.' },
    { name: 'Resolved', type: 'integer', jsonPath: '.status.counts.resolved', description: 'Predictions that resolve their instance.' },
    { name: 'Of', type: 'integer', jsonPath: '.status.counts.total', description: 'Predictions, and instances without one.' },
    { name: 'Rate', type: 'string', jsonPath: '.status.resolvedRate.value', description: 'The strict resolve rate.' },
    { name: 'Cost', type: 'string', jsonPath: '.status.cost.amount', description: 'What serving the model cost so far.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since creation.' },
    { name: 'Dry OK', type: 'integer', jsonPath: '.status.dryRun.ok', description: 'Predictions of a dry run that apply and compile.', priority: 1 },
    { name: 'Errors', type: 'integer', jsonPath: '.status.counts.error', description: 'Predictions in the official state error.', priority: 1 },
    { name: 'Running', type: 'integer', jsonPath: '.status.progress.running', description: 'Sandboxes at work.', priority: 1 },
    { name: 'ETA', type: 'integer', jsonPath: '.status.progress.etaSeconds', description: 'Seconds until the last verdict.', priority: 1 },
    { name: 'Message', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message', description: 'What is happening.', priority: 1 },
  ],
  selectable: ['.status.state'],
}

const preferenceGen: KindDefinition = {
  kind: 'PreferenceGen',
  singular: 'preferencegen',
  plural: 'preferencegens',
  shortNames: ['prefgen'],
  description: 'PreferenceGen makes pairs of a better and a worse patch for direct preference optimisation. Every patch is tested in a sandbox of its own, and every pair leads back to its two test runs. What a node or a registry did wrong is in no pair.',
  nameMaxLength: EVAL_NAME_MAX - '-grade'.length,
  rules: [beginsWithLetter],
  spec: preferenceGenSpecSchema,
  status: preferenceGenStatusSchema,
  columns: [
    { name: 'State', type: 'string', jsonPath: '.status.state', description: 'The state in one word.' },
    { name: 'Graded%', type: 'integer', jsonPath: '.status.evaluation.percent', description: 'Share of the patches that have their verdict, in percent.' },
    { name: 'Samples', type: 'integer', jsonPath: '.status.data.samples', description: 'Samples in the file.' },
    { name: 'Resolved', type: 'integer', jsonPath: '.status.counts.resolved', description: 'Samples that resolve their instance.' },
    { name: 'Pairs', type: 'integer', jsonPath: '.status.counts.pairs', description: 'Pairs of a chosen and a rejected patch.' },
    { name: 'Yield', type: 'string', jsonPath: '.status.yield', description: 'Pairs for each sample.' },
    { name: 'Cost', type: 'string', jsonPath: '.status.cost.amount', description: 'What serving the model cost so far.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since creation.' },
    { name: 'Unique', type: 'integer', jsonPath: '.status.data.uniquePatches', description: 'Different patches among the samples.', priority: 1 },
    { name: 'CPU Seconds', type: 'integer', jsonPath: '.status.cost.cpuSeconds', description: 'Cores asked for times seconds, of all sandboxes.', priority: 1 },
    { name: 'Message', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message', description: 'What is happening.', priority: 1 },
  ],
  selectable: ['.status.state'],
}

/** Every kind of this project. */
export const kinds: readonly KindDefinition[] = [trainingRun, preferenceGen, sweBenchEval]
