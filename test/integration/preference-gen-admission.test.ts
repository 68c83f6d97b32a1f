// What the real API server says to every kind of PreferenceGen manifest, through kubectl, as a user sees it.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts'
import { succeeds, waitUntil } from '../cluster/exec.ts'
import { type AcceptedRow, complaints, type Json, kubectl, merged, type RefusedRow } from './manifests.ts'

const definitions = join(import.meta.dirname, '../../crds/generated')
const manifest: Json = {
  apiVersion: 'swe-operator.dev/v1alpha1',
  kind: 'PreferenceGen',
  metadata: { name: 'row', namespace: 'default' },
  spec: { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWESmith' }, predictions: { configMap: { name: 'rows', key: 'preds.jsonl' } } },
}
const spec = (change: Json): Json => ({ spec: change })
const api = { url: 'https://api.example.com/v1', model: 'qwen2.5-coder-32b-instruct' }
const tiny = { s3: { uri: 's3://swe-operator/default/models/tiny' } }
const asking = (model: Json, more: Record<string, Json> = {}, others: Record<string, Json> = {}): { spec: Json } => ({ spec: { predictions: null, generation: { model, ...more }, ...others } })
const RULES_NOT_CHECKED = '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'
const bound = (field: string, value: number, rule: string): string => `${field}: Invalid value: ${value}: ${field} in body should be ${rule}`

const accepted: readonly AcceptedRow[] = [
  ['the least that is needed', {}],
  ['a name of 40 characters', { metadata: { name: 'a'.repeat(40) } }],
  ['samples that a model makes', spec({ predictions: null, generation: { model: { endpoint: api } } })],
  ['every option of the sampling', spec({ predictions: null, generation: { model: { endpoint: { ...api, apiKeySecretRef: { name: 'api' } } }, sampling: { samplesPerInstance: 256, temperature: '0', topP: '1', maxTokens: 8192, stop: ['</patch>'], seed: 0 }, concurrency: 64 } })],
  ['a model in the store', asking(tiny)],
  ['a model on a hub', asking({ hub: { repo: 'Qwen/Qwen2.5-3B-Instruct', tokenSecretRef: { name: 'hub' } } })],
  ['the result of a run', asking({ fromRun: { name: 'sft', secretRef: { name: 'key' } } })],
  ['a server with all that it may be told', asking(tiny, { serving: { engine: 'Transformers', resources: { cpu: '500m', memory: '24Gi' } }, concurrency: 1 })],
  ['a server on GPUs', asking(tiny, { serving: { engine: 'VLLM', pool: 'a100-80-gke-spot', gpus: 8, replicas: 4, resources: { memory: '200Gi' }, modelCache: { claimName: 'models' } }, concurrency: 64 })],
  ['another server on GPUs', asking(tiny, { serving: { engine: 'SGLang', pool: 'a100-80-gke-spot' } })],
  ['a budget of what is served on GPUs, and of all that runs', asking(tiny, { serving: { engine: 'VLLM', pool: 'a100-80-gke-spot' } }, { budget: { maxCost: '250.50', maxGPUHours: '64', maxDuration: '8h30m' } })],
  ['a budget of time for samples that are there', spec({ budget: { maxDuration: '90m' } })],
  ['an endpoint and a name that begins with a digit', { metadata: { name: '7b' }, ...asking({ endpoint: api }) }],
  ['evaluations to compare with', spec({ decontamination: { against: [{ configMap: { name: 'ours', key: 'eval.jsonl' }, format: 'SWESmith' }, { s3: { uri: 's3://evals/ours.parquet', secretRef: { name: 'evals' } }, format: 'SWEBenchPro' }, { hub: { repo: 'SWE-bench/SWE-bench_Verified', revision: 'c104f84', split: 'test' }, format: 'SWEBench' }] } })],
  ['the official prompts', spec({ promptStyle: 'Style3', promptCodeTokens: 4_194_304 })],
  ['a prompt in other words', spec({ promptStyle: 'Custom', promptTemplate: { name: 'prompts', key: 'short.txt' }, promptCodeTokens: 1 })],
  ['every option of the pairs', spec({ promptStyle: 'Pro', pairs: { chosen: 'Gold', rejected: ['Failing', 'PatchDoesNotApply'], maxPerInstance: 1, lengthBalance: 'AllPairs', seed: 7 }, split: { trainPercent: 80, by: 'Repository', seed: 1 }, allowEvaluationSets: true, export: { trajectories: { style: 'Ticks', maxPerInstance: 1 } }, cleanup: { afterFinished: '24h' }, parallelism: 256, suspend: true })],
]

const refused: readonly RefusedRow[] = [
  ['samples from nowhere', spec({ predictions: null }), 'spec: Invalid value: exactly one of predictions, generation must be set'],
  ['samples from two places', spec({ generation: { model: { endpoint: api } } }), 'spec: Invalid value: exactly one of predictions, generation must be set'],
  ['samples of gold patches', spec({ predictions: { configMap: null } }), 'spec.predictions: Invalid value: exactly one of configMap, s3 must be set'],
  ['an API without a scheme', spec({ predictions: null, generation: { model: { endpoint: { ...api, url: 'api.example.com/v1' } } } }), "spec.generation.model.endpoint.url: Invalid value: \"api.example.com/v1\": spec.generation.model.endpoint.url in body should match '^https?:[/]{2}[A-Za-z0-9.-]+(:[0-9]{1,5})?([/][A-Za-z0-9_.~-]+)*[/]?$'", 'spec.generation.model.endpoint.url: Invalid value: "api.example.com/v1": must be a URL, such as https://api.example.com/v1'],
  ['a temperature that burns', spec({ predictions: null, generation: { model: { endpoint: api }, sampling: { temperature: '2.5' } } }), 'spec.generation.sampling.temperature: Invalid value: "2.5": must be a decimal number from 0 to 2, such as "0.8"'],
  ['no sample', spec({ predictions: null, generation: { model: { endpoint: api }, sampling: { samplesPerInstance: 0 } } }), bound('spec.generation.sampling.samplesPerInstance', 0, 'greater than or equal to 1')],
  ['no model', asking({}), 'spec.generation.model: Invalid value: exactly one of endpoint, s3, hub, fromRun must be set'],
  ['two models', asking({ endpoint: api, ...tiny }), 'spec.generation.model: Invalid value: exactly one of endpoint, s3, hub, fromRun must be set'],
  ['two Secrets for one model', asking({ fromRun: { name: 'sft', secretRef: { name: 'a' }, tokenSecretRef: { name: 'b' } } }), 'spec.generation.model.fromRun: Invalid value: secretRef goes with a model in an S3 store, tokenSecretRef with one on a hub: name one of them'],
  ['an endpoint to be served', asking({ endpoint: api }, { serving: { engine: 'Transformers' } }), 'spec.generation.serving: Invalid value: serving goes with a model of s3, hub or fromRun: an endpoint is served already'],
  ['a volume without a name', asking(tiny, { serving: { engine: 'Transformers', modelCache: {} } }), 'spec.generation.serving.modelCache.claimName: Required value', RULES_NOT_CHECKED],
  ['an engine that nobody knows', asking(tiny, { serving: { engine: 'Best' } }), 'spec.generation.serving.engine: Unsupported value: "Best": supported values: "Transformers", "VLLM", "SGLang"', RULES_NOT_CHECKED],
  ['a server on GPUs of no pool', asking(tiny, { serving: { engine: 'VLLM', gpus: 1 } }), 'spec.generation.serving.pool: Invalid value: engines VLLM and SGLang run on GPUs: name a pool of nodes that have them'],
  ['GPUs that nothing runs on', asking(tiny, { serving: { engine: 'Transformers', gpus: 1 } }), 'spec.generation.serving.engine: Invalid value: engine Transformers runs on CPUs, and alone: leave pool, gpus and replicas out'],
  ['several requests at once to a server that answers one', asking(tiny, { concurrency: 2 }), 'spec.generation.concurrency: Invalid value: engine Transformers answers one request after the other: leave concurrency out'],
  ['a name that no Service can have', { metadata: { name: '7b' }, ...asking(tiny) }, 'metadata.name: Invalid value: must begin with a letter where a model is served, because the name of its Service begins with it'],
  ['an empty budget', spec({ budget: {} }), 'spec.budget: Invalid value: at least one of maxCost, maxGPUHours and maxDuration must be set'],
  ['a budget of nothing', asking(tiny, { serving: { engine: 'VLLM', pool: 'a' } }, { budget: { maxCost: '0' } }), 'spec.budget.maxCost: Invalid value: "0": must be a decimal number above 0, such as "250"'],
  ['money for what has no price', spec({ budget: { maxCost: '10' } }), 'spec.budget: Invalid value: maxCost and maxGPUHours limit a model that is served on GPUs: without generation.serving.pool use maxDuration'],
  ['GPU-hours of a server on CPUs', asking(tiny, {}, { budget: { maxGPUHours: '10' } }), 'spec.budget: Invalid value: maxCost and maxGPUHours limit a model that is served on GPUs: without generation.serving.pool use maxDuration'],
  ['no evaluation to compare with', spec({ decontamination: { against: [] } }), 'spec.decontamination.against: Invalid value: 0: spec.decontamination.against in body should have at least 1 items'],
  ['an evaluation from nowhere', spec({ decontamination: { against: [{ format: 'SWEBench' }] } }), 'spec.decontamination.against[0]: Invalid value: exactly one of configMap, s3, hub must be set'],
  ['a prompt in no words', spec({ promptStyle: 'Custom' }), 'spec.promptTemplate: Invalid value: promptStyle Custom needs promptTemplate, and nothing else has one'],
  ['words that nobody says', spec({ promptTemplate: { name: 'prompts', key: 'short.txt' } }), 'spec.promptTemplate: Invalid value: promptStyle Custom needs promptTemplate, and nothing else has one'],
  ['room for code that no prompt shows', spec({ promptCodeTokens: 9 }), 'spec.promptCodeTokens: Invalid value: promptStyle Pro shows no code: leave promptCodeTokens out'],
  ['no room for code', spec({ promptStyle: 'Style2', promptCodeTokens: 0 }), bound('spec.promptCodeTokens', 0, 'greater than or equal to 1')],
  ['worse answers that nobody knows', spec({ pairs: { rejected: ['TimedOut'] } }), 'spec.pairs.rejected[0]: Unsupported value: "TimedOut": supported values: "Failing", "PatchDoesNotApply"', RULES_NOT_CHECKED],
  ['a balance that nobody knows', spec({ pairs: { lengthBalance: 'Matched' } }), 'spec.pairs.lengthBalance: Unsupported value: "Matched": supported values: "EachPair", "AllPairs"', RULES_NOT_CHECKED],
  ['no worse answers', spec({ pairs: { rejected: [] } }), 'spec.pairs.rejected: Invalid value: 0: spec.pairs.rejected in body should have at least 1 items'],
  ['a day that is no duration', spec({ cleanup: { afterFinished: '1d' } }), "spec.cleanup.afterFinished: Invalid value: \"1d\": spec.cleanup.afterFinished in body should match '^([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,7}s)?$'", 'spec.cleanup.afterFinished: Invalid value: "1d": must be hours, minutes and seconds, such as 8h, 90m or 1h30m'],
  ['a name too long for its evaluation', { metadata: { name: 'a'.repeat(41) } }, 'metadata.name: Invalid value: must have at most 40 characters, because the names of its Jobs and pods begin with it'],
]

const refusedChanges: readonly RefusedRow[] = [
  ['other samples', spec({ predictions: { configMap: { name: 'others', key: 'b' } } }), 'spec.predictions: Forbidden: spec.predictions is immutable; create a new PreferenceGen'],
  ['an evaluation to compare with appears', spec({ decontamination: { against: [{ configMap: { name: 'ours', key: 'b' }, format: 'SWEBench' }] } }), 'spec.decontamination: Forbidden: spec.decontamination is immutable; create a new PreferenceGen'],
  ['another prompt', spec({ promptStyle: 'Style2' }), 'spec.promptStyle: Forbidden: spec.promptStyle is immutable; create a new PreferenceGen'],
  ['a rule of the pairs appears', spec({ pairs: { chosen: 'Gold' } }), 'spec.pairs: Forbidden: spec.pairs is immutable; create a new PreferenceGen'],
]

let cluster: ControlPlane

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'admission-of-pairs' })
  await kubectl(cluster, ['apply', '--server-side', '-f', definitions])
  await waitUntil('preferencegens are served', 60_000, () => succeeds(cluster.binaries.kubectl, ['--kubeconfig', cluster.kubeconfigPath, 'get', 'preferencegens']))
  await kubectl(cluster, ['create', '-f', '-'], merged(manifest, { metadata: { name: 'admitted' } }))
})

afterAll(() => cluster?.stop())

describe('a manifest is accepted with', () => {
  it.each(accepted)('%s', async (_what, change) => {
    expect(await kubectl(cluster, ['create', '--dry-run=server', '-f', '-'], merged(manifest, change))).toMatch(/^preferencegen.swe-operator.dev\/\S+ created \(server dry run\)\n$/)
  })
})

describe('a manifest is refused for', () => {
  it.each(refused)('%s', async (_what, change, ...says) => {
    expect(await complaints(cluster, ['create', '--dry-run=server', '-f', '-'], merged(manifest, change))).toEqual([...says].sort())
  })
})

describe('an admitted PreferenceGen', () => {
  const patch = (change: Json): string[] => ['patch', 'prefgen', 'admitted', '--type=merge', '-p', JSON.stringify(change), '--dry-run=server']

  it.each(refusedChanges)('cannot change so that: %s', async (_what, change, ...says) => {
    expect(await complaints(cluster, patch(change))).toEqual(says)
  })

  it.each(['suspend', 'parallelism', 'cleanup', 'budget'])('may change its %s', async (field) => {
    const value = { suspend: true, parallelism: 3, cleanup: { afterFinished: '0s' }, budget: { maxDuration: '8h' } }[field]
    expect(await kubectl(cluster, patch(spec({ [field]: value ?? null })))).toContain('patched')
  })
})
