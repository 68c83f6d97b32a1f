// What a user may get wrong or right in a TrainingRun, and the lines kubectl shows for it.

import type { AcceptedRow, Json, RefusedRow } from './manifests.ts'

export const manifest: Json = {
  apiVersion: 'swe-operator.dev/v1alpha1',
  kind: 'TrainingRun',
  metadata: { name: 'row', namespace: 'default' },
  spec: {
    method: 'SFT',
    engine: 'TRL',
    model: { s3: { uri: 's3://swe-operator/default/models/tiny' } },
    data: { files: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'Messages' } },
    lora: {},
    duration: { maxSteps: 60 },
  },
}

const spec = (change: Json): Json => ({ spec: change })
const instances = (more: { readonly [key: string]: Json }): Json =>
  spec({ data: { files: null, instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWEBench', ...more } } })
const preferences = (more: { readonly [key: string]: Json } = {}): Json =>
  spec({ method: 'DPO', data: { files: null, preferences: { configMap: { name: 'pairs', key: 'rows.jsonl' } } }, ...more })
const measured = { instances: { configMap: { name: 'held-out', key: 'rows.jsonl' }, format: 'SWEBench' } }
export const gate = (more: { readonly [key: string]: Json }): { spec: Json } => ({ spec: { gate: { evaluation: measured, ...more } } })
const hub = { repo: 'team/tuned', tokenSecretRef: { name: 'hub' } }
const trajectories = (change: { readonly [key: string]: Json }, more: { readonly [key: string]: Json } = {}): Json => spec({ data: { files: null, trajectories: { fromEval: { name: 'samples' }, ...change } }, ...more })
const run = { uri: 's3://swe-operator/default/agents/run-1' }
const modelAt = (uri: string): Json => spec({ model: { s3: { uri } } })

/** The API server adds this line when the shape is so wrong that it could not evaluate the rules. */
const RULES_NOT_CHECKED = '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'

const DECIMAL_PATTERN = "should match '^[0-9]{1,9}([.][0-9]{1,12})?([eE][+-]?[0-9]{1,2})?$'"
const URI_PATTERN = "should match '^s3:[/]{2}[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]([/][A-Za-z0-9_=@+-][A-Za-z0-9_.=@+-]*)+[/]?$'"
const URI_WORDS = 'must be s3://<bucket>/<path>; segments of the path are letters, digits and _ . = @ + -, and none starts with a dot'
const FOLDER_PATTERN = "should match '^[A-Za-z0-9_=@+-][A-Za-z0-9_.=@+-]*([/][A-Za-z0-9_=@+-][A-Za-z0-9_.=@+-]*)*$'"
const FOLDER_WORDS = 'must be a path such as runs/best; its segments are letters, digits and _ . = @ + -, and none starts with a dot'
const CPU_PATTERN = "should match '^([1-9][0-9]{0,6}m|0[.][0-9]{0,2}[1-9]|[1-9][0-9]{0,3}([.][0-9]{1,3})?)$'"
const MEMORY_PATTERN = "should match '^[1-9][0-9]{0,6}([.][0-9]{1,3})?(Mi|Gi|Ti|M|G|T)$'"

const typo = (field: string) => `Error from server (BadRequest): error when creating "STDIN": TrainingRun in version "v1alpha1" cannot be handled as a TrainingRun: strict decoding error: unknown field "${field}"`
const required = (field: string): readonly [string, string] => [`${field}: Required value`, RULES_NOT_CHECKED]
const unsupported = (field: string, value: string, supported: string): readonly [string, string] => [`${field}: Unsupported value: "${value}": supported values: ${supported}`, RULES_NOT_CHECKED]
const wrongType = (field: string, type: string, got: string): readonly [string, string] => [`${field}: Invalid value: "${got}": ${field} in body must be of type ${type}: "${got}"`, RULES_NOT_CHECKED]
const bound = (field: string, value: number, rule: string): string => `${field}: Invalid value: ${value}: ${field} in body should be ${rule}`
const mismatch = (field: string, value: string, pattern: string): string => `${field}: Invalid value: "${value}": ${field} in body ${pattern}`
const words = (field: string, value: string, message: string): string => `${field}: Invalid value: "${value}": ${message}`
const badUri = (uri: string): readonly [string, string] => [mismatch('spec.model.s3.uri', uri, URI_PATTERN), words('spec.model.s3.uri', uri, URI_WORDS)]
const RATE = 'must be a decimal number above 0 and at most 1, such as "2e-4"'
const badRate = (rate: string): readonly [string, string] => [mismatch('spec.optimizer.learningRate', rate, DECIMAL_PATTERN), words('spec.optimizer.learningRate', rate, RATE)]

export const refused: readonly RefusedRow[] = [
  ['a misspelled field', spec({ modle: {} }), typo('spec.modle')],
  ['a misspelled field deeper down', spec({ optimizer: { learningrate: '1e-3' } }), typo('spec.optimizer.learningrate')],
  ['a misspelled spec', { specs: {} }, typo('specs')],
  ['a selection that belongs to instances', spec({ data: { files: { select: { instanceIds: ['a'] } } } }), typo('spec.data.files.select.instanceIds')],
  ['a field of a later version', spec({ grpo: { beta: '0' } }), typo('spec.grpo')],

  ['no spec', { spec: null }, ...required('spec')],
  ['no method', spec({ method: null }), ...required('spec.method')],
  ['no engine', spec({ engine: null }), ...required('spec.engine')],
  ['no model', spec({ model: null }), ...required('spec.model')],
  ['no data', spec({ data: null }), ...required('spec.data')],
  ['data without a format', spec({ data: { files: { format: null } } }), ...required('spec.data.files.format')],
  ['a ConfigMap without a key', spec({ data: { files: { configMap: { key: null } } } }), ...required('spec.data.files.configMap.key')],
  ['a Secret without a name', spec({ model: { s3: { secretRef: {} } } }), ...required('spec.model.s3.secretRef.name')],
  ['no duration', spec({ duration: null }), ...required('spec.duration')],
  ['an early stop without patience', spec({ evaluation: { earlyStop: {} } }), ...required('spec.evaluation.earlyStop.patience')],

  ['instances and files', spec({ data: { instances: { configMap: { name: 'a', key: 'b' }, format: 'SWEBench' } } }), 'spec.data: Invalid value: exactly one of instances, files, preferences, trajectories must be set'],
  ['neither instances nor files', spec({ data: { files: null } }), 'spec.data: Invalid value: exactly one of instances, files, preferences, trajectories must be set'],
  ['two sources of one file', spec({ data: { files: { s3: { uri: 's3://swe-operator/default/rows.jsonl' } } } }), 'spec.data.files: Invalid value: exactly one of configMap, s3, hub must be set'],
  ['no source of a file', spec({ data: { files: { configMap: null } } }), 'spec.data.files: Invalid value: exactly one of configMap, s3, hub must be set'],
  ['no source of instances', instances({ configMap: null }), 'spec.data.instances: Invalid value: exactly one of configMap, s3, hub must be set'],
  ['a model without a source', spec({ model: { s3: null } }), 'spec.model: Invalid value: exactly one of s3, hub, fromRun must be set'],
  ['a model from two places', spec({ model: { hub: { repo: 'Qwen/Qwen2.5-3B-Instruct' } } }), 'spec.model: Invalid value: exactly one of s3, hub, fromRun must be set'],
  ['a model from a store and from another run', spec({ model: { fromRun: { name: 'sft' } } }), 'spec.model: Invalid value: exactly one of s3, hub, fromRun must be set'],
  ['a run that continues itself', spec({ model: { s3: null, fromRun: { name: 'row' } } }), 'spec.model.fromRun.name: Invalid value: a run cannot continue itself: name another TrainingRun'],
  ['both kinds of Secret for the model of another run', spec({ model: { s3: null, fromRun: { name: 'sft', secretRef: { name: 'a' }, tokenSecretRef: { name: 'b' } } } }), 'spec.model.fromRun: Invalid value: secretRef goes with a model in an S3 store, tokenSecretRef with one on a hub: name one of them'],
  ['an empty budget', spec({ budget: {} }), 'spec.budget: Invalid value: at least one of maxCost, maxGPUHours and maxDuration must be set'],
  ['the best of no evaluations', spec({ checkpoint: { result: 'Best' } }), 'spec.checkpoint: Invalid value: checkpoint.result Best needs evaluations to choose by: set evaluation'],
  ['an evaluation by steps without their number', spec({ evaluation: { strategy: 'Steps' } }), 'spec.evaluation: Invalid value: everySteps must be set with strategy Steps, and with no other'],
  ['an evaluation by epoch and by steps', spec({ evaluation: { strategy: 'Epoch', everySteps: 10 } }), 'spec.evaluation: Invalid value: everySteps must be set with strategy Steps, and with no other'],
  ['an early stop without evaluations', spec({ evaluation: { strategy: 'No', earlyStop: { patience: 3 } } }), 'spec.evaluation: Invalid value: earlyStop needs evaluations: strategy Steps or Epoch'],
  ['checkpoints by epoch and by steps', spec({ checkpoint: { strategy: 'Epoch', everySteps: 10 } }), 'spec.checkpoint: Invalid value: everySteps goes with strategy Steps'],
  ['the completion of messages', spec({ sequence: { lossOn: 'Completion' } }), 'spec.sequence: Invalid value: sequence.lossOn: Messages have no completion, and only Messages and data.trajectories with a style have AssistantMessages'],
  ['the messages of instances', spec({ data: { files: null, instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWEBench' } }, sequence: { lossOn: 'AssistantMessages' } }), 'spec.sequence: Invalid value: sequence.lossOn: Messages have no completion, and only Messages and data.trajectories with a style have AssistantMessages'],
  ['preferences that are imitated', spec({ data: { files: null, preferences: { configMap: { name: 'pairs', key: 'rows.jsonl' } } } }), 'spec.data: Invalid value: data.preferences goes with method DPO, which learns from nothing else'],
  ['a comparison of rows without a second answer', spec({ method: 'DPO' }), 'spec.data: Invalid value: data.preferences goes with method DPO, which learns from nothing else'],
  ['preferences beside files', preferences({ data: { preferences: { configMap: { name: 'pairs', key: 'rows.jsonl' } } } }), 'spec.data: Invalid value: exactly one of instances, files, preferences, trajectories must be set'],
  ['no source of preferences', preferences({ data: { files: null, preferences: { select: { limit: 3 } } } }), 'spec.data.preferences: Invalid value: exactly one of configMap, s3, hub, fromPreferenceGen must be set'],
  ['trajectories from nowhere', trajectories({ fromEval: null }), 'spec.data.trajectories: Invalid value: exactly one of configMap, s3, hub, fromEval must be set'],
  ['trajectories of an evaluation and of a folder', trajectories({ s3: run }), 'spec.data.trajectories: Invalid value: exactly one of configMap, s3, hub, fromEval must be set'],
  ['what an evaluation resolved, and what it did not', trajectories({ onlyResolved: false }), 'spec.data.trajectories.onlyResolved: Invalid value: onlyResolved is of folders: what fromEval names is resolved: leave it out'],
  ['a report in a ConfigMap of one trajectory', trajectories({ fromEval: null, configMap: { name: 'runs', key: 'a.traj' } }), 'spec.data.trajectories: Invalid value: onlyResolved must be false for a ConfigMap, which holds one trajectory and no report of it'],
  ['the completion of a folder of conversations', trajectories({ fromEval: null, s3: run }, { sequence: { lossOn: 'Completion' } }), 'spec.sequence: Invalid value: sequence.lossOn: Messages have no completion, and only Messages and data.trajectories with a style have AssistantMessages'],
  ['a folder of a hub that climbs out of it', trajectories({ fromEval: null, hub: { repo: 'team/runs', folder: 'a/../b' } }), mismatch('spec.data.trajectories.hub.folder', 'a/../b', FOLDER_PATTERN), words('spec.data.trajectories.hub.folder', 'a/../b', FOLDER_WORDS)],
  ['a split of trajectories, which are no rows', trajectories({ fromEval: null, hub: { repo: 'team/runs', split: 'train' } }), typo('spec.data.trajectories.hub.split')],
  ['trajectories that are compared', spec({ method: 'DPO', data: { files: null, trajectories: { fromEval: { name: 'samples' } } } }), 'spec.data: Invalid value: data.preferences goes with method DPO, which learns from nothing else'],
  ['what the assistant says of patches', trajectories({}, { sequence: { lossOn: 'AssistantMessages' } }), 'spec.sequence: Invalid value: sequence.lossOn: Messages have no completion, and only Messages and data.trajectories with a style have AssistantMessages'],
  ['the completion of conversations', trajectories({ style: 'XML' }, { sequence: { lossOn: 'Completion' } }), 'spec.sequence: Invalid value: sequence.lossOn: Messages have no completion, and only Messages and data.trajectories with a style have AssistantMessages'],
  ['a style that nobody writes', trajectories({ style: 'JSON' }), ...unsupported('spec.data.trajectories.style', 'JSON', '"XML", "Ticks"')],
  ['a format of preferences, which have one only', preferences({ data: { files: null, preferences: { configMap: { name: 'pairs', key: 'rows.jsonl' }, format: 'Messages' } } }), typo('spec.data.preferences.format')],
  ['settings of a comparison for an imitation', spec({ dpo: { beta: '0.1' } }), 'spec.dpo: Invalid value: dpo goes with method DPO: leave it out'],
  ['what a comparison does not choose', preferences({ sequence: { lossOn: 'All' } }), 'spec.sequence: Invalid value: sequence.lossOn: method DPO compares the answers, all of them: leave it out'],
  ['dropout in a comparison', preferences({ lora: { dropout: '0.05' } }), 'spec.lora: Invalid value: lora.dropout: with method DPO model and reference would differ by chance: leave it out'],
  ['wrong labels expected by another loss', preferences({ dpo: { labelSmoothing: '0.1' } }), 'spec.dpo: Invalid value: labelSmoothing goes with lossType Robust'],
  ['half of the labels wrong', preferences({ dpo: { lossType: 'Robust', labelSmoothing: '0.5' } }), words('spec.dpo.labelSmoothing', '0.5', 'must be a decimal number above 0 and below 0.5, such as "0.1"')],
  ['a reference that is not held to', preferences({ dpo: { beta: '0' } }), words('spec.dpo.beta', '0', 'must be a decimal number above 0 and at most 100, such as "0.1"')],
  ['a loss that depends on the size of a pass', preferences({ dpo: { lossType: 'AOT' } }), ...unsupported('spec.dpo.lossType', 'AOT', '"Sigmoid", "SigmoidNorm", "Hinge", "IPO", "Robust", "APOZero", "APODown"')],
  ['tests from many to few', instances({ select: { failToPass: { min: 5, max: 1 } } }), 'spec.data.instances.select.failToPass: Invalid value: min must not be above max'],
  ['steps and epochs', spec({ duration: { epochs: '3' } }), 'spec.duration: Invalid value: exactly one of maxSteps, epochs must be set'],
  ['neither steps nor epochs', spec({ duration: { maxSteps: null } }), 'spec.duration: Invalid value: exactly one of maxSteps, epochs must be set'],

  ['an unknown method', spec({ method: 'PPO' }), ...unsupported('spec.method', 'PPO', '"SFT", "DPO"')],
  ['a method in lower case', spec({ method: 'sft' }), ...unsupported('spec.method', 'sft', '"SFT", "DPO"')],
  ['an unknown engine', spec({ engine: 'Verl' }), ...unsupported('spec.engine', 'Verl', '"TRL"')],
  ['an unknown scheduler', spec({ optimizer: { scheduler: 'cosine' } }), ...unsupported('spec.optimizer.scheduler', 'cosine', '"Linear", "Cosine", "Constant"')],
  ['an unknown format', spec({ data: { files: { format: 'CSV' } } }), ...unsupported('spec.data.files.format', 'CSV', '"Messages", "PromptCompletion"')],
  ['an unknown prompt style', instances({ promptStyle: 'Style2' }), ...unsupported('spec.data.instances.promptStyle', 'Style2', '"Pro"')],
  ['an unknown unit of the split', spec({ split: { by: 'Row' } }), ...unsupported('spec.split.by', 'Row', '"Instance", "Repository"')],

  ['an unknown quantization', spec({ lora: { quantization: 'INT4' } }), ...unsupported('spec.lora.quantization', 'INT4', '"None", "NF4"')],
  ['an unknown optimizer', spec({ optimizer: { algorithm: 'SGD' } }), ...unsupported('spec.optimizer.algorithm', 'SGD', '"AdamW", "PagedAdamW8Bit"')],
  ['more GPUs than a node has', spec({ compute: { pool: 'a100', gpusPerNode: 17 } }), bound('spec.compute.gpusPerNode', 17, 'less than or equal to 16')],
  ['a negative seed', spec({ seed: -1 }), bound('spec.seed', -1, 'greater than or equal to 0')],
  ['a seed of more than 32 bits', spec({ seed: 4_294_967_296 }), bound('spec.seed', 4_294_967_296, 'less than or equal to 4294967295')],
  ['a split that holds nothing out', spec({ split: { trainPercent: 100 } }), bound('spec.split.trainPercent', 100, 'less than or equal to 99')],
  ['no steps', spec({ duration: { maxSteps: 0 } }), bound('spec.duration.maxSteps', 0, 'greater than or equal to 1')],
  ['rank 0', spec({ lora: { rank: 0 } }), bound('spec.lora.rank', 0, 'greater than or equal to 1')],
  ['a grace period too short for a checkpoint', spec({ gracePeriodSeconds: 5 }), bound('spec.gracePeriodSeconds', 5, 'greater than or equal to 10')],
  ['more retries than anybody wants', spec({ retries: { limit: 101 } }), bound('spec.retries.limit', 101, 'less than or equal to 100')],
  ['sequences too short for a row', spec({ sequence: { maxLength: 8 } }), bound('spec.sequence.maxLength', 8, 'greater than or equal to 16')],
  ['an evaluation after every 0 steps', spec({ evaluation: { everySteps: 0 } }), bound('spec.evaluation.everySteps', 0, 'greater than or equal to 1')],
  ['0 cores', spec({ compute: { cpu: 0 } }), bound('spec.compute.cpu', 0, 'greater than or equal to 1')],

  ['a seed with a fraction', spec({ seed: 1.5 }), wrongType('spec.seed', 'integer', 'number')[0], '<nil>: Invalid value: "": Checked value must be of type integer (default format) in spec.seed', RULES_NOT_CHECKED],
  ['a learning rate that is not quoted', spec({ optimizer: { learningRate: 0.0002 } }), ...wrongType('spec.optimizer.learningRate', 'string', 'number')],
  ['memory that is not quoted', spec({ compute: { memory: 4 } }), ...wrongType('spec.compute.memory', 'string', 'integer')],
  ['suspend in words', spec({ suspend: 'yes' }), ...wrongType('spec.suspend', 'boolean', 'string')],
  ['one module instead of a list', spec({ lora: { targetModules: 'q_proj' } }), ...wrongType('spec.lora.targetModules', 'array', 'string')],

  ['a learning rate in words', spec({ optimizer: { learningRate: 'fast' } }), ...badRate('fast')],
  ['a negative learning rate', spec({ optimizer: { learningRate: '-1e-4' } }), ...badRate('-1e-4')],
  ['a budget of nothing', spec({ budget: { maxCost: '0' } }), words('spec.budget.maxCost', '0', 'must be a decimal number above 0, such as "250"')],
  ['a budget in days', spec({ budget: { maxDuration: '2d' } }), mismatch('spec.budget.maxDuration', '2d', "should match '^([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,7}s)?$'"), words('spec.budget.maxDuration', '2d', 'must be hours, minutes and seconds, such as 8h, 90m or 1h30m')],
  ['a decimal comma', spec({ optimizer: { learningRate: '0,1' } }), ...badRate('0,1')],
  ['a learning rate of 0', spec({ optimizer: { learningRate: '0' } }), words('spec.optimizer.learningRate', '0', RATE)],
  ['a learning rate above 1', spec({ optimizer: { learningRate: '2e4' } }), words('spec.optimizer.learningRate', '2e4', RATE)],
  ['a dropout of everything', spec({ lora: { dropout: '1' } }), words('spec.lora.dropout', '1', 'must be a decimal number from 0 to below 1, such as "0.05"')],
  ['a warm-up in percent', spec({ optimizer: { warmupRatio: '3' } }), words('spec.optimizer.warmupRatio', '3', 'must be a decimal number from 0 to 1, such as "0.03"')],
  ['0 epochs', spec({ duration: { maxSteps: null, epochs: '0' } }), words('spec.duration.epochs', '0', 'must be a decimal number above 0 and at most 1000, such as "3" or "0.5"')],

  ['cores in words', spec({ compute: { cpu: 'two' } }), mismatch('spec.compute.cpu', 'two', CPU_PATTERN), words('spec.compute.cpu', 'two', 'must be cores or millicores, such as 2, "1.5" or "500m"')],
  ['memory without a unit', spec({ compute: { memory: '4' } }), mismatch('spec.compute.memory', '4', MEMORY_PATTERN), words('spec.compute.memory', '4', 'must have a unit: Mi, Gi, Ti, M, G or T, such as 4Gi')],
  ['memory in a unit Kubernetes does not know', spec({ compute: { memory: '4GB' } }), mismatch('spec.compute.memory', '4GB', MEMORY_PATTERN), words('spec.compute.memory', '4GB', 'must have a unit: Mi, Gi, Ti, M, G or T, such as 4Gi')],

  ['a hub model without its owner', spec({ model: { s3: null, hub: { repo: 'gpt2' } } }), mismatch('spec.model.hub.repo', 'gpt2', "should match '^[A-Za-z0-9][A-Za-z0-9_.-]*[/][A-Za-z0-9_.-]+$'"), words('spec.model.hub.repo', 'gpt2', 'must be owner/name, such as Qwen/Qwen2.5-3B-Instruct')],
  ['a hub to publish to without a token', spec({ publish: { hub: { ...hub, tokenSecretRef: null } } }), ...required('spec.publish.hub.tokenSecretRef')],
  ['a repository to publish to without its owner', spec({ publish: { hub: { ...hub, repo: 'tuned' } } }), mismatch('spec.publish.hub.repo', 'tuned', "should match '^[A-Za-z0-9][A-Za-z0-9_.-]*[/][A-Za-z0-9_.-]+$'"), words('spec.publish.hub.repo', 'tuned', 'must be owner/name, such as Qwen/Qwen2.5-3B-Instruct')],
  ['a model on the web', modelAt('https://example.com/model'), ...badUri('https://example.com/model')],
  ['a bucket without a path', modelAt('s3://swe-operator'), ...badUri('s3://swe-operator')],
  ['a path that climbs out of its prefix', modelAt('s3://swe-operator/default/../other/model'), ...badUri('s3://swe-operator/default/../other/model')],
  ['a path with an empty segment', modelAt('s3://swe-operator//model'), ...badUri('s3://swe-operator//model')],
  ['a ConfigMap key that climbs out of its folder', spec({ data: { files: { configMap: { key: '../rows' } } } }), mismatch('spec.data.files.configMap.key', '../rows', "should match '^[A-Za-z0-9_-][-._A-Za-z0-9]*$'")],
  ['a ConfigMap that cannot exist', spec({ data: { files: { configMap: { name: 'Rows' } } } }), mismatch('spec.data.files.configMap.name', 'Rows', "should match '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$'")],
  ['an instance id with a space', instances({ select: { instanceIds: ['django 1'] } }), mismatch('spec.data.instances.select.instanceIds[0]', 'django 1', "should match '^[A-Za-z0-9][A-Za-z0-9_.-]*$'")],
  ['a repository without its owner', instances({ select: { repos: ['django'] } }), mismatch('spec.data.instances.select.repos[0]', 'django', "should match '^[A-Za-z0-9][A-Za-z0-9_.-]*[/][A-Za-z0-9_.-]+$'")],

  ['an empty selection', instances({ select: { instanceIds: [] } }), bound('spec.data.instances.select.instanceIds', 0, 'at least 1 items').replace('should be', 'should have')],
  ['the same instance twice', instances({ select: { instanceIds: ['a', 'a'] } }), 'spec.data.instances.select.instanceIds[1]: Duplicate value: "a"'],
  ['more modules than a model has', spec({ lora: { targetModules: Array.from({ length: 65 }, (_, n) => `m${n}`) } }), 'spec.lora.targetModules: Too many: 65: must have at most 64 items', RULES_NOT_CHECKED],
  ['all-linear beside a single module', spec({ lora: { targetModules: ['all-linear', 'q_proj'] } }), 'spec.lora.targetModules: Invalid value: all-linear stands alone: name it or single modules'],

  ['a name too long for its children', { metadata: { name: 'a'.repeat(53) } }, 'metadata.name: Invalid value: must have at most 52 characters, because the names of its Jobs and pods begin with it'],
  ['a gate that asks for nothing', gate({}), 'spec.gate: Invalid value: exactly one of minResolvedRate, noWorseThan must be set'],
  ['a gate that asks for two things', gate({ minResolvedRate: '0.3', noWorseThan: { name: 'base' } }), 'spec.gate: Invalid value: exactly one of minResolvedRate, noWorseThan must be set'],
  ['a gate that nobody passes', gate({ minResolvedRate: '1.5' }), words('spec.gate.minResolvedRate', '1.5', 'must be a decimal number above 0 and at most 1, such as "0.30"')],
  ['a gate with two sources of instances', gate({ minResolvedRate: '0.3', evaluation: { instances: { configMap: { name: 'a', key: 'b' }, s3: { uri: 's3://swe-operator/default/a' }, format: 'SWEBench' } } }), 'spec.gate.evaluation.instances: Invalid value: exactly one of configMap, s3, hub must be set'],
  ['a gate that asks a server several things at once that answers one', gate({ minResolvedRate: '0.3', evaluation: { ...measured, generation: { concurrency: 2 } } }), 'spec.gate.evaluation.generation.concurrency: Invalid value: engine Transformers answers one request after the other: leave concurrency out'],
  ['a gate that waits for itself', gate({ noWorseThan: { name: 'row-gate' } }), 'spec.gate.noWorseThan.name: Invalid value: a gate cannot be compared with its own evaluation: name another SWEBenchEval'],
  ['a run that learns from the evaluation of its own gate', trajectories({ fromEval: { name: 'row-gate' } }, { gate: { evaluation: measured, minResolvedRate: '0.3' } }), 'spec.data.trajectories.fromEval.name: Invalid value: a run cannot learn from the evaluation of its own gate, which begins after the training: name another SWEBenchEval'],
  ['a name too long for the evaluation of its gate', { metadata: { name: 'a'.repeat(42) }, ...gate({ minResolvedRate: '0.3' }) }, 'metadata.name: Invalid value: must have at most 41 characters where there is a gate, because the name of its evaluation begins with it'],
  ['a name that no Service of its result can have', { metadata: { name: '7b' }, ...gate({ minResolvedRate: '0.3' }) }, 'metadata.name: Invalid value: must begin with a letter where there is a gate, because the name of the Service of its result begins with it'],
  ['a name with a dot', { metadata: { name: 'run.v1' } }, 'metadata.name: Invalid value: must have no dots, because host names of its pods begin with it'],
  ['a version that does not exist', { apiVersion: 'swe-operator.dev/v1' }, 'error: resource mapping not found for name: "row" namespace: "default" from "STDIN": no matches for kind "TrainingRun" in version "swe-operator.dev/v1"', 'ensure CRDs are installed first'],
  ['three mistakes, all named at once', spec({ seed: -1, lora: { rank: 0, dropout: '2' } }), bound('spec.seed', -1, 'greater than or equal to 0'), bound('spec.lora.rank', 0, 'greater than or equal to 1'), words('spec.lora.dropout', '2', 'must be a decimal number from 0 to below 1, such as "0.05"')],
]

export const accepted: readonly AcceptedRow[] = [
  ['the pairs of a PreferenceGen', spec({ method: 'DPO', data: { files: null, preferences: { fromPreferenceGen: { name: 'pairs' }, select: { limit: 100 } } } })],
  ['what an evaluation resolved', trajectories({ maxPerInstance: 1, allowEvaluationSets: true, select: { limit: 10, seed: 1 } })],
  ['what the evaluation of another run\'s gate resolved', trajectories({ fromEval: { name: 'other-gate' } }, { gate: { evaluation: measured, minResolvedRate: '0.3' } })],
  ['the conversations that an evaluation resolved', trajectories({ style: 'Ticks' }, { sequence: { lossOn: 'AssistantMessages' } })],
  ['a folder of trajectories', trajectories({ fromEval: null, s3: { ...run, secretRef: { name: 'runs' } }, onlyResolved: true, maxPerInstance: 1, select: { limit: 10 } }, { sequence: { lossOn: 'AssistantMessages' }, gate: { evaluation: measured, minResolvedRate: '0.3' } })],
  ['every trajectory of a folder on a hub', trajectories({ fromEval: null, hub: { repo: 'team/runs', revision: 'main', folder: 'runs/best' }, onlyResolved: false, style: 'Ticks' })],
  ['one trajectory in a ConfigMap', trajectories({ fromEval: null, configMap: { name: 'runs', key: 'a.traj' }, onlyResolved: false })],
  ['the least that is needed', {}],
  ['a name of 52 characters', { metadata: { name: 'a'.repeat(52) } }],
  ['a generated name', { metadata: { name: null, generateName: 'sweep-' } }],
  ['suspended from the start', spec({ suspend: true })],
  ['instances from the store with a Secret', instances({ configMap: null, s3: { uri: 's3://datasets/swe-bench/lite.jsonl', secretRef: { name: 'datasets' } }, promptStyle: 'Pro' })],
  ['a selection of instances', instances({ select: { instanceIds: ['django__django-13251'], repos: ['django/django'], limit: 5, seed: 0 } })],
  ['a split of instances by repository', spec({ data: { files: null, instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWEBench' } }, split: { by: 'Repository', trainPercent: 70 } })],
  ['a model and rows from the hub', spec({ model: { s3: null, hub: { repo: 'Qwen/Qwen2.5-3B-Instruct', revision: 'main', tokenSecretRef: { name: 'hub' } } }, data: { files: null, instances: { hub: { repo: 'SWE-bench/SWE-bench_Verified', split: 'test', endpoint: 'https://hub.example.com:8443/mirror' }, format: 'SWEBench' } } })],
  ['full fine-tuning', spec({ lora: null, optimizer: { algorithm: 'PagedAdamW8Bit', maxGradNorm: '0.3' } })],
  ['rows of SWE-smith by number of tests', instances({ format: 'SWESmith', select: { idContains: '.pr_', failToPass: { min: 1, max: 10 } } })],
  ['the best checkpoint with an early stop', spec({ evaluation: { everySteps: 20, earlyStop: { patience: 3, minImprovement: '0.01' } }, checkpoint: { everySteps: 20, result: 'Best' } })],
  ['a GPU pool, a queue and a budget', spec({ compute: { pool: 'a100-80-gke-spot', gpusPerNode: 4, sharedMemory: '16Gi', priorityClassName: 'night', queueName: 'gpus', workloadPriorityClass: 'low' }, budget: { maxCost: '250.50', maxGPUHours: '64', maxDuration: '8h30m' } })],
  ['a gate at a rate, with the longest name', { metadata: { name: 'a'.repeat(41) }, ...gate({ minResolvedRate: '0.30' }) }],
  ['a gate whose result is served by GPUs', gate({ minResolvedRate: '0.3', evaluation: { ...measured, generation: { serving: { engine: 'VLLM', pool: 'a100-80-gke-spot', gpus: 2 }, concurrency: 64 } } })],
  ['a gate that compares, with all that its evaluation may be told', gate({ noWorseThan: { name: 'base' }, evaluation: { ...measured, promptStyle: 'Pro', generation: { serving: { engine: 'Transformers', resources: { cpu: 4 } }, sampling: { samplesPerInstance: 4 } }, sandbox: { timeoutSeconds: 60 }, images: { pinDigests: 'Never' }, parallelism: 8 } })],
  ['pairs of answers, compared', preferences()],
  ['pairs of the hub with every option of a comparison', preferences({ data: { files: null, preferences: { hub: { repo: 'team/pairs' }, select: { limit: 100, seed: 3 } } }, dpo: { beta: '0.5', lossType: 'Robust', labelSmoothing: '0.2', referenceLogProbs: 'Precomputed' }, lora: { dropout: '0' } })],
  ['a comparison of the whole model', preferences({ lora: null, dpo: { lossType: 'IPO' } })],
  ['a hub to publish to', spec({ publish: { hub } })],
  ['a hub of one\'s own to publish to, for everybody to read', spec({ publish: { hub: { ...hub, private: false, endpoint: 'https://hub.example.com:8443/mirror' } } })],
  ['options of the engine', spec({ engineOptions: { neftune_noise_alpha: '5' } })],
  ['half an epoch', spec({ duration: { maxSteps: null, epochs: '0.5' } })],
  ['decimals in every notation', spec({ optimizer: { learningRate: '1E-3', warmupRatio: '0', weightDecay: '1' }, lora: { dropout: '0.999' } })],
  ['cores as a number', spec({ compute: { cpu: 2, memory: '512Mi' } })],
  ['cores as a quantity', spec({ compute: { cpu: '500m', memory: '1.5Gi' } })],
  ['cores with a fraction', spec({ compute: { cpu: '1.5' } })],
  ['every option set', spec({ seed: 0, lora: { rank: 8, alpha: 16, dropout: '0', targetModules: ['q_proj', 'v_proj'] }, batch: { perDevice: 2, gradientAccumulation: 8 }, sequence: { maxLength: 512 }, evaluation: { everySteps: 20 }, checkpoint: { everySteps: 10, keep: 1 }, gracePeriodSeconds: 30, retries: { limit: 0 } })],
]

const added = (field: string) => `spec.${field}: Forbidden: spec.${field} is immutable; create a new TrainingRun`

/** Of what an admitted run can be rid of. */
export const onlyRemoved = (field: string) => `spec.${field}: Forbidden: spec.${field} can be removed, but neither added nor changed; create a new TrainingRun`

/** Changes of an admitted run. */
export const refusedChanges: readonly RefusedRow[] = [
  ['the seed appears', spec({ seed: 7 }), added('seed')],
  ['the model changes', modelAt('s3://swe-operator/default/models/other'), added('model')],
  ['a Secret is added to the model', spec({ model: { s3: { secretRef: { name: 'mine' } } } }), added('model')],
  ['another file', spec({ data: { files: { configMap: { name: 'others' } } } }), added('data')],
  ['a selection appears', spec({ data: { files: { select: { limit: 3 } } } }), added('data')],
  ['a split appears', spec({ split: { trainPercent: 50 } }), added('split')],
  ['the rank changes', spec({ lora: { rank: 4 } }), added('lora')],
  ['a comparison appears', spec({ dpo: { beta: '0.2' } }), added('dpo'), 'spec.dpo: Invalid value: dpo goes with method DPO: leave it out'],
  ['an optimizer appears', spec({ optimizer: { learningRate: '1e-3' } }), added('optimizer')],
  ['a batch appears', spec({ batch: { perDevice: 2 } }), added('batch')],
  ['the run becomes longer', spec({ duration: { maxSteps: 61 } }), added('duration')],
  ['sequences appear', spec({ sequence: { maxLength: 64 } }), added('sequence')],
  ['the evaluation disappears', spec({ evaluation: null }), added('evaluation')],
  ['the evaluation changes', spec({ evaluation: { everySteps: 21 } }), added('evaluation')],
  ['checkpoints appear', spec({ checkpoint: { keep: 1 } }), added('checkpoint')],
  ['compute appears', spec({ compute: { memory: '8Gi' } }), added('compute')],
  ['the grace period appears', spec({ gracePeriodSeconds: 60 }), added('gracePeriodSeconds')],
  ['retries appear', spec({ retries: { limit: 1 } }), added('retries')],
  ['the adapter becomes the whole model', spec({ lora: null }), added('lora')],
  ['an option of the engine appears', spec({ engineOptions: { packing: 'true' } }), added('engineOptions')],
  ['its gate is easier to pass', gate({ minResolvedRate: '0.1' }), onlyRemoved('gate')],
  ['another repository is published to', spec({ publish: { hub: { repo: 'team/other' } } }), onlyRemoved('publish')],
  ['another hub is published to', spec({ publish: { hub: { endpoint: 'https://hub.example.com' } } }), onlyRemoved('publish')],
  ['a budget becomes empty', spec({ budget: { maxCost: null } }), 'spec.budget: Invalid value: at least one of maxCost, maxGPUHours and maxDuration must be set'],
  ['three fields at once, beside suspend', spec({ suspend: true, seed: 7, duration: { maxSteps: 61 }, evaluation: null }), added('seed'), added('duration'), added('evaluation')],
]

export const acceptedChanges: readonly AcceptedRow[] = [
  ['cleanup', spec({ cleanup: { afterFinished: '24h' } })],
  ['suspend', spec({ suspend: true })],
  ['the budget is raised', spec({ budget: { maxCost: '500' } })],
  ['the budget is in hours', spec({ budget: { maxCost: null, maxDuration: '8h' } })],
  ['the budget is removed', spec({ budget: null })],
  ['nobody asks any more what its result is good for', spec({ gate: null })],
  ['nothing is published any more', spec({ publish: null })],
  ['a label and an annotation', { metadata: { labels: { team: 'code' }, annotations: { note: 'x' } } }],
  ['modules in another order, because they are a set', spec({ lora: { targetModules: ['v_proj', 'q_proj'] } })],
  ['nothing', {}],
]
