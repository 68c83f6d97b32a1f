import { dump } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { parsePreferenceGen, type PreferenceGen, type PreferenceGenSpec } from '../../../crds/preference-gen.ts'
import { parseSWEBenchEval } from '../../../crds/swebench-eval.ts'
import { resolve } from '../resolve.ts'
import { buildEvaluation } from './evaluation.ts'
import { buildInputs } from './inputs.ts'
import { buildPrepareJob, buildReportJob } from './jobs.ts'

const settings = { harnessImage: 'ghcr.io/swe-operator/harness:0.1.0', imagePullPolicy: 'IfNotPresent', trainer: { image: 'ghcr.io/swe-operator/trainer:0.1.0', imagePullPolicy: 'IfNotPresent', imagePullSecrets: ['ghcr'] }, serverImages: { Transformers: 'ghcr.io/swe-operator/trainer:0.1.0', VLLM: 'docker.io/vllm/vllm-openai:v0.26.0', SGLang: 'docker.io/lmsysorg/sglang:v0.5.18' }, currency: 'USD', pools: [], artifactsUrl: 'https://swe-operator-artifacts.swe-operator-system.svc:8443', progressUrl: 'https://swe-operator-progress.swe-operator-system.svc:8443', bucket: 'swe-operator', caBundle: () => 'CA' } as const

function aGeneration(spec: Partial<PreferenceGenSpec> = {}): PreferenceGen {
  return parsePreferenceGen({
    apiVersion: 'swe-operator.dev/v1alpha1', kind: 'PreferenceGen',
    metadata: { namespace: 'team', name: 'smith', uid: '0b5e7c1a-1111-2222-3333-444455556666' },
    spec: { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWESmith' }, predictions: { configMap: { name: 'preds', key: 'preds.jsonl' } }, ...spec },
  } as PreferenceGen)
}

const minimal = aGeneration()
const full = aGeneration({
  instances: { hub: { repo: 'SWE-bench/SWE-smith', split: 'train', tokenSecretRef: { name: 'hub' } }, format: 'SWESmith', select: { idContains: '.pr_', limit: 100, seed: 7 } },
  predictions: { s3: { uri: 's3://models/preds.jsonl', secretRef: { name: 'models' } } },
  pairs: { chosen: 'Gold', rejected: ['Failing', 'PatchDoesNotApply'], maxPerInstance: 2, lengthBalance: 'AllPairs', seed: 9 },
  promptStyle: 'Custom',
  promptTemplate: { name: 'prompts', key: 'short.txt' },
  promptCodeTokens: 4096,
  split: { trainPercent: 80, by: 'Repository' },
  export: { trajectories: { style: 'XML' } },
  allowEvaluationSets: true,
  decontamination: { against: [{ hub: { repo: 'SWE-bench/SWE-bench_Verified', split: 'test', tokenSecretRef: { name: 'hub' } }, format: 'SWEBench' }, { configMap: { name: 'ours', key: 'eval.jsonl' }, format: 'SWEBenchPro' }] },
  sandbox: { timeoutSeconds: 120, isolation: 'BestEffort' },
  images: { pullSecrets: ['docker-hub'] },
  parallelism: 64,
  suspend: false,
})

describe('what is created for a PreferenceGen', () => {
  it.each([
    ['inputs-minimal', buildInputs(minimal, resolve(minimal, settings), minimal.spec.predictions ?? {}, 'CA')],
    ['inputs-full', buildInputs(full, resolve(full, settings), full.spec.predictions ?? {}, 'CA')],
    ['prepare-job-full', buildPrepareJob(full, settings, 1)],
    ['report-job', buildReportJob(minimal, settings, 2)],
    ['evaluation-minimal', buildEvaluation(minimal, resolve(minimal, settings), settings, 'data/p1/')],
    ['evaluation-full', buildEvaluation(full, resolve(full, settings), settings, 'data/p1/')],
  ])('is rendered as in golden/%s.yaml', async (name, object) => {
    await expect(dump(object, { lineWidth: -1, noRefs: true })).toMatchFileSnapshot(`golden/${name}.yaml`)
  })

  it('is an evaluation that the API server takes', () => {
    expect(() => parseSWEBenchEval(buildEvaluation(full, resolve(full, settings), settings, 'data/p1/'))).not.toThrow()
  })

  it('has names that fit, for the longest name of a PreferenceGen', () => {
    const longest = { ...minimal, metadata: { ...minimal.metadata, name: 'g'.repeat(40) } }
    expect(buildEvaluation(longest, resolve(longest, settings), settings, 'data/p1/').metadata.name).toHaveLength(46)
    expect(buildPrepareJob(longest, settings, 999).metadata.name.length).toBeLessThanOrEqual(63)
  })
})
