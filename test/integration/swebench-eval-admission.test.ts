// What the real API server says to every kind of SWEBenchEval manifest, through kubectl, as a user sees it.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts'
import { succeeds, waitUntil } from '../cluster/exec.ts'
import { type AcceptedRow, complaints, type Json, kubectl, merged, type RefusedRow } from './manifests.ts'

const definitions = join(import.meta.dirname, '../../crds/generated')
const manifest: Json = {
  apiVersion: 'swe-operator.dev/v1alpha1',
  kind: 'SWEBenchEval',
  metadata: { name: 'row', namespace: 'default' },
  spec: { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWEBench' }, predictions: { gold: {} } },
}
const spec = (change: Json): Json => ({ spec: change })
const tiny = { s3: { uri: 's3://swe-operator/default/models/tiny' } }
const asking = (model: Json, more: Record<string, Json> = {}, others: Record<string, Json> = {}): { spec: Json } => ({ spec: { predictions: null, generation: { model, ...more }, ...others } })
const RULES_NOT_CHECKED = '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'
const typo = (field: string) => `Error from server (BadRequest): error when creating "STDIN": SWEBenchEval in version "v1alpha1" cannot be handled as a SWEBenchEval: strict decoding error: unknown field "${field}"`
const bound = (field: string, value: number, rule: string): string => `${field}: Invalid value: ${value}: ${field} in body should be ${rule}`

const accepted: readonly AcceptedRow[] = [
  ['the least that is needed', {}],
  ['a name of 46 characters', { metadata: { name: 'a'.repeat(46) } }],
  ['a set of the hub and predictions in the own prefix', spec({ instances: { configMap: null, hub: { repo: 'SWE-bench/SWE-bench_Verified', split: 'test' } }, predictions: { gold: null, s3: { uri: 's3://swe-operator/default/preds.json' } } })],
  ['instances of SWE-smith by number of tests', spec({ instances: { format: 'SWESmith', select: { idContains: '.pr_', failToPass: { min: 2, max: 5 } } } })],
  ['proven instances whose proof may be an earlier one', spec({ instances: { quality: 'Proven' }, baseline: 'Cached' })],
  ['instances of SWE-bench Pro', spec({ instances: { format: 'SWEBenchPro' } })],
  ['a dry run', spec({ dryRun: true, baseline: 'Skip', instances: { quality: 'Any' } })],
  ['predictions that an API makes', spec({ predictions: null, generation: { model: { endpoint: { url: 'https://api.example.com/v1', model: 'qwen' } }, sampling: { samplesPerInstance: 5 } }, promptStyle: 'Style2', promptCodeTokens: 8192 })],
  ['predictions that the result of a run makes', asking({ fromRun: { name: 'sft' } }, { serving: { engine: 'Transformers' } })],
  ['a budget of what is served on GPUs, and of all that runs', asking(tiny, { serving: { engine: 'SGLang', pool: 'a100-80-gke-spot' } }, { budget: { maxCost: '250.50', maxGPUHours: '64', maxDuration: '8h30m' } })],
  ['a budget of time for predictions that are there', spec({ budget: { maxDuration: '90m' } })],
  ['a dry run of what a model makes', spec({ predictions: null, generation: { model: tiny }, dryRun: true })],
  ['a dry run that is none', spec({ dryRun: false, flakeReruns: 3, compareWith: ['sft'] })],
  ['every option set', spec({ instances: { quality: 'Proven' }, sandbox: { resources: { cpu: '500m', memory: '4Gi', ephemeralStorage: '10Gi' }, timeoutSeconds: 1800, network: 'Allow', isolation: 'BestEffort', nodeSelector: { pool: 'sandboxes' }, infrastructureRetries: 0 }, images: { template: 'xingyaoww/sweb.eval.x86_64.{instance_id_s}', mirrors: [{ prefix: '', replacement: 'mirror.example.com/' }], pullSecrets: ['hub'], pinDigests: 'Required', pullTimeoutSeconds: 600 }, compareWith: ['sft', 'base'], baseline: 'Required', cache: 'Ignore', flakeReruns: 3, knownFlaky: ['psf__requests-1'], confirmResolved: true, parallelism: 2048, cleanup: { afterFinished: '0s' }, suspend: true })],
]

const refused: readonly RefusedRow[] = [
  ['a misspelled field', spec({ instnces: {} }), typo('spec.instnces')],
  ['a field of a later version', spec({ network: 'Deny' }), typo('spec.network')],
  ['no predictions', spec({ predictions: null }), 'spec: Invalid value: exactly one of predictions, generation must be set'],
  ['predictions and a model that makes others', spec({ generation: { model: tiny } }), 'spec: Invalid value: exactly one of predictions, generation must be set'],
  ['a prompt in no words', spec({ predictions: null, generation: { model: { endpoint: { url: 'https://api.example.com/v1', model: 'qwen' } } }, promptStyle: 'Custom' }), 'spec.promptTemplate: Invalid value: promptStyle Custom needs promptTemplate, and nothing else has one'],
  ['a style of prompts that nobody makes', spec({ promptStyle: 'Pro' }), 'spec: Invalid value: promptStyle says how generation asks a model: leave it out with predictions'],
  ['two models', asking({ ...tiny, fromRun: { name: 'sft' } }), 'spec.generation.model: Invalid value: exactly one of endpoint, s3, hub, fromRun must be set'],
  ['a name that no Service can have', { metadata: { name: '7b' }, ...asking(tiny) }, 'metadata.name: Invalid value: must begin with a letter where a model is served, because the name of its Service begins with it'],
  ['predictions from nowhere', spec({ predictions: { gold: null } }), 'spec.predictions: Invalid value: exactly one of gold, configMap, s3 must be set'],
  ['predictions from two places', spec({ predictions: { s3: { uri: 's3://swe-operator/default/p.json' } } }), 'spec.predictions: Invalid value: exactly one of gold, configMap, s3 must be set'],
  ['instances from nowhere', spec({ instances: { configMap: null } }), 'spec.instances: Invalid value: exactly one of configMap, s3, hub must be set'],
  ['a format that nobody can grade', spec({ instances: { format: 'Messages' } }), 'spec.instances.format: Unsupported value: "Messages": supported values: "SWEBench", "SWESmith", "SWEBenchPro"', RULES_NOT_CHECKED],
  ['a baseline that is half wanted', spec({ baseline: 'Sometimes' }), 'spec.baseline: Unsupported value: "Sometimes": supported values: "Required", "Cached", "Skip"', RULES_NOT_CHECKED],
  ['a cache that nobody knows', spec({ cache: 'Fill' }), 'spec.cache: Unsupported value: "Fill": supported values: "Use", "Ignore"', RULES_NOT_CHECKED],
  ['proven instances without a proof', spec({ instances: { quality: 'Proven' } }), 'spec: Invalid value: instances.quality Proven is known from baselines alone: set baseline: Required or Cached'],
  ['flaky instances that nothing grades again', spec({ knownFlaky: ['psf__requests-1'] }), 'spec: Invalid value: knownFlaky says what flakeReruns grades again: set flakeReruns'],
  ['proven instances with the proof left out', spec({ instances: { quality: 'Proven' }, baseline: 'Skip' }), 'spec: Invalid value: instances.quality Proven is known from baselines alone: set baseline: Required or Cached'],
  ['a dry run with tests to run again', spec({ dryRun: true, flakeReruns: 3 }), 'spec: Invalid value: dryRun runs no test that flakeReruns could run again: leave one of the two out'],
  ['a dry run with baselines', spec({ dryRun: true, baseline: 'Required' }), 'spec: Invalid value: dryRun runs no test, and baseline needs those of gold patches: leave one of the two out'],
  ['a dry run of proven instances', spec({ dryRun: true, baseline: 'Required', instances: { quality: 'Proven' } }), 'spec: Invalid value: dryRun runs no test, and baseline needs those of gold patches: leave one of the two out', 'spec: Invalid value: dryRun runs no test that could prove instances: leave it or instances.quality: Proven out'],
  ['a dry run to confirm', spec({ dryRun: true, confirmResolved: true }), 'spec: Invalid value: dryRun resolves nothing that confirmResolved could grade again: leave one of the two out'],
  ['a dry run to compare', spec({ dryRun: true, compareWith: ['sft'] }), 'spec: Invalid value: dryRun has no result that compareWith could compare: leave one of the two out'],
  ['an empty budget', spec({ budget: {} }), 'spec.budget: Invalid value: at least one of maxCost, maxGPUHours and maxDuration must be set'],
  ['money for sandboxes, which have no price', spec({ budget: { maxCost: '10', maxDuration: '1h' } }), 'spec.budget: Invalid value: maxCost and maxGPUHours limit a model that is served on GPUs: without generation.serving.pool use maxDuration'],
  ['GPU-hours of a model behind an API', asking({ endpoint: { url: 'https://api.example.com/v1', model: 'qwen' } }, {}, { budget: { maxGPUHours: '10' } }), 'spec.budget: Invalid value: maxCost and maxGPUHours limit a model that is served on GPUs: without generation.serving.pool use maxDuration'],
  ['no sandbox at once', spec({ parallelism: 0 }), bound('spec.parallelism', 0, 'greater than or equal to 1')],
  ['too many at once', spec({ parallelism: 4096 }), bound('spec.parallelism', 4096, 'less than or equal to 2048')],
  ['no time for the tests', spec({ sandbox: { timeoutSeconds: 5 } }), bound('spec.sandbox.timeoutSeconds', 5, 'greater than or equal to 10')],
  ['a network that is half open', spec({ sandbox: { network: 'Some' } }), 'spec.sandbox.network: Unsupported value: "Some": supported values: "Deny", "Allow"', RULES_NOT_CHECKED],
  ['endless retries', spec({ sandbox: { infrastructureRetries: 21 } }), bound('spec.sandbox.infrastructureRetries', 21, 'less than or equal to 20')],
  ['memory without a unit', spec({ sandbox: { resources: { memory: '4' } } }), "spec.sandbox.resources.memory: Invalid value: \"4\": spec.sandbox.resources.memory in body should match '^[1-9][0-9]{0,6}([.][0-9]{1,3})?(Mi|Gi|Ti|M|G|T)$'", 'spec.sandbox.resources.memory: Invalid value: "4": must have a unit: Mi, Gi, Ti, M, G or T, such as 4Gi'],
  ['a placeholder that nobody fills', spec({ images: { template: 'swebench/{instance}' } }), "spec.images.template: Invalid value: \"swebench/{instance}\": spec.images.template in body should match '^([A-Za-z0-9._:/@-]|[{](instance_id|instance_id_1776|instance_id_s|image)[}])+$'"],
  ['digests that are half wanted', spec({ images: { pinDigests: 'Sometimes' } }), 'spec.images.pinDigests: Unsupported value: "Sometimes": supported values: "Required", "BestEffort", "Never"', RULES_NOT_CHECKED],
  ['the same Secret twice', spec({ images: { pullSecrets: ['a', 'a'] } }), 'spec.images.pullSecrets[1]: Duplicate value: "a"'],
  ['the same evaluation to compare with twice', spec({ compareWith: ['a', 'a'] }), 'spec.compareWith[1]: Duplicate value: "a"'],
  ['bounds that exclude each other', spec({ instances: { select: { failToPass: { min: 3, max: 1 } } } }), 'spec.instances.select.failToPass: Invalid value: min must not be above max'],
  ['a name too long for its pods', { metadata: { name: 'a'.repeat(47) } }, 'metadata.name: Invalid value: must have at most 46 characters, because the names of its Jobs and pods begin with it'],
]

const refusedChanges: readonly RefusedRow[] = [
  ['other instances', spec({ instances: { select: { limit: 3 } } }), 'spec.instances: Forbidden: spec.instances is immutable; create a new SWEBenchEval'],
  ['other predictions', spec({ predictions: { gold: null, configMap: { name: 'a', key: 'b' } } }), 'spec.predictions: Forbidden: spec.predictions is immutable; create a new SWEBenchEval'],
  ['a model appears', spec({ predictions: null, generation: { model: tiny } }), 'spec.generation: Forbidden: spec.generation is immutable; create a new SWEBenchEval', 'spec.predictions: Forbidden: spec.predictions is immutable; create a new SWEBenchEval'],
  ['baselines appear', spec({ baseline: 'Required' }), 'spec.baseline: Forbidden: spec.baseline is immutable; create a new SWEBenchEval'],
  ['the tests disappear', spec({ dryRun: true }), 'spec.dryRun: Forbidden: spec.dryRun is immutable; create a new SWEBenchEval'],
  ['a sandbox appears', spec({ sandbox: { timeoutSeconds: 60 } }), 'spec.sandbox: Forbidden: spec.sandbox is immutable; create a new SWEBenchEval'],
]

let cluster: ControlPlane

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'admission' })
  await kubectl(cluster, ['apply', '--server-side', '-f', definitions])
  await waitUntil('swebenchevals are served', 60_000, () => succeeds(cluster.binaries.kubectl, ['--kubeconfig', cluster.kubeconfigPath, 'get', 'swebenchevals']))
  await kubectl(cluster, ['create', '-f', '-'], merged(manifest, { metadata: { name: 'admitted' } }))
})

afterAll(() => cluster?.stop())

describe('a manifest is accepted with', () => {
  it.each(accepted)('%s', async (_what, change) => {
    expect(await kubectl(cluster, ['create', '--dry-run=server', '-f', '-'], merged(manifest, change))).toMatch(/^swebencheval.swe-operator.dev\/\S+ created \(server dry run\)\n$/)
  })
})

describe('a manifest is refused for', () => {
  it.each(refused)('%s', async (_what, change, ...says) => {
    expect(await complaints(cluster, ['create', '--dry-run=server', '-f', '-'], merged(manifest, change))).toEqual([...says].sort())
  })
})

describe('an admitted evaluation', () => {
  const patch = (change: Json): string[] => ['patch', 'sbe', 'admitted', '--type=merge', '-p', JSON.stringify(change), '--dry-run=server']

  it.each(refusedChanges)('cannot change so that: %s', async (_what, change, ...says) => {
    expect(await complaints(cluster, patch(change))).toEqual(says)
  })

  it('can be held, be given more or less room or another budget, and be compared with others at any time', async () => {
    expect(await kubectl(cluster, patch(spec({ suspend: true, parallelism: 4, budget: { maxDuration: '8h' }, compareWith: ['sft'] })))).toMatch(/^swebencheval.swe-operator.dev\/admitted patched/)
  })
})
