import { dump } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { parsePreferenceGen, type PreferenceGen } from '../../../crds/preference-gen.ts'
import { poolsSchema } from '../../pools/pool-config.ts'
import { resolve } from '../../preference-gen/resolve.ts'
import { buildGenerateJob } from './generate-job.ts'
import { buildQuestions } from './questions.ts'
import { buildServer, buildServerPolicy, buildServerService } from './server.ts'
import { buildServingInputs } from './serving.ts'

const settings = { harnessImage: 'ghcr.io/swe-operator/harness:0.1.0', imagePullPolicy: 'IfNotPresent', trainer: { image: 'ghcr.io/swe-operator/trainer:0.1.0', imagePullPolicy: 'IfNotPresent', imagePullSecrets: ['ghcr'] }, serverImages: { Transformers: 'ghcr.io/swe-operator/trainer:0.1.0', VLLM: 'docker.io/vllm/vllm-openai:v0.26.0', SGLang: 'docker.io/lmsysorg/sglang:v0.5.18' }, currency: 'USD', pools: poolsSchema.parse([{ name: 'a100-80-gke-spot', platform: 'GKE', gpu: 'A100-80', spot: true, env: { NCCL_SOCKET_IFNAME: 'eth0' } }]), artifactsUrl: 'https://swe-operator-artifacts.swe-operator-system.svc:8443', progressUrl: 'https://swe-operator-progress.swe-operator-system.svc:8443', bucket: 'swe-operator', caBundle: () => 'CA' } as const

const given = { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWESmith' } } as const
const minimal = { apiVersion: 'swe-operator.dev/v1alpha1', kind: 'PreferenceGen', metadata: { namespace: 'team', name: 'smith', uid: '0b5e7c1a-1111-2222-3333-444455556666' } } as const

const asking: PreferenceGen = { ...minimal, spec: { ...given, promptStyle: 'Custom', promptTemplate: { name: 'prompts', key: 'short.txt' }, images: { mirrors: [{ prefix: 'docker.io/', replacement: 'mirror.example.com/' }], pullSecrets: ['mirror'] }, decontamination: { against: [{ hub: { repo: 'SWE-bench/SWE-bench_Verified', split: 'test', tokenSecretRef: { name: 'hub' } }, format: 'SWEBench' }] }, generation: { model: { endpoint: { url: 'https://api.example.com/v1', model: 'qwen2.5-coder-32b-instruct', apiKeySecretRef: { name: 'api' } } }, sampling: { samplesPerInstance: 8, stop: ['</patch>'] }, concurrency: 4 } } }

const hub = { hub: { repo: 'Qwen/Qwen2.5-Coder-3B-Instruct', tokenSecretRef: { name: 'hub' } } }
const serving: PreferenceGen = parsePreferenceGen({ ...minimal, spec: { ...given, generation: { model: hub, serving: { engine: 'Transformers', resources: { cpu: 8, memory: '24Gi' } } } }, status: { serving: { model: { uri: 'hf://Qwen/Qwen2.5-Coder-3B-Instruct', revision: 'c'.repeat(40), sha256: 'd'.repeat(64) } } } } as PreferenceGen)
const adapter = { rank: 16, alpha: 32, targetModules: 'all-linear', base: { s3: { uri: 's3://swe-operator/team/models/tiny' }, sha256: 'd'.repeat(64) } }
const files = ['adapter_config.json', 'adapter_model.safetensors'].map((name) => ({ name, sha256: 'a'.repeat(64) }))
const ofRun: PreferenceGen = { ...minimal, spec: { ...given, generation: { model: { fromRun: { name: 'sft' } } } }, status: { fromRun: { name: 'sft', uid: 'u-sft', uri: 's3://swe-operator/team/u-sft/result/a1/adapter', files, adapter } } }

const onGpus = (engine: 'VLLM' | 'SGLang', of: PreferenceGen, gpus?: number): PreferenceGen => parsePreferenceGen({ ...of, spec: { ...of.spec, generation: { model: of.spec.generation?.model, serving: { engine, pool: 'a100-80-gke-spot', ...(gpus === undefined ? {} : { gpus }) } } } } as PreferenceGen)
const [vllm, vllmOfRun, sglang, sglangOfRun] = [onGpus('VLLM', serving, 4), onGpus('VLLM', { ...ofRun, status: { fromRun: { ...ofRun.status?.fromRun, adapter: { ...adapter, rank: 48 } } } } as PreferenceGen), onGpus('SGLang', serving, 2), onGpus('SGLang', ofRun)]
const cached = parsePreferenceGen({ ...vllmOfRun, spec: { ...vllmOfRun.spec, generation: { ...vllmOfRun.spec.generation, serving: { ...vllmOfRun.spec.generation?.serving, modelCache: { claimName: 'models' } } } } } as PreferenceGen)

describe('what is created to have a model asked', () => {
  it.each([
    ['questions', buildQuestions(asking, resolve(asking, settings), 'CA')],
    ['generate-job', buildGenerateJob(asking, settings, 1)],
    ['questions-served', buildQuestions(ofRun, resolve(ofRun, settings), 'CA')],
    ['server', buildServer(serving, resolve(serving, settings), settings)],
    ['server-of-run', buildServer(ofRun, resolve(ofRun, settings), settings)],
    ['server-vllm', buildServer(vllm, resolve(vllm, settings), settings)],
    ['server-vllm-of-run', buildServer(vllmOfRun, resolve(vllmOfRun, settings), settings)],
    ['server-sglang', buildServer(sglang, resolve(sglang, settings), settings)],
    ['server-sglang-of-run', buildServer(sglangOfRun, resolve(sglangOfRun, settings), settings)],
    ['questions-sglang-of-run', buildQuestions(sglangOfRun, resolve(sglangOfRun, settings), 'CA')],
    ['serving-inputs-vllm-of-run', buildServingInputs(vllmOfRun, resolve(vllmOfRun, settings), 'CA')],
    ['server-cached', buildServer(cached, resolve(cached, settings), settings)],
    ['serving-inputs-cached', buildServingInputs(cached, resolve(cached, settings), 'CA')],
    ['server-service', buildServerService(serving)],
    ['server-policy', buildServerPolicy(serving)],
    ['serving-inputs-hub', buildServingInputs(serving, resolve(serving, settings), 'CA')],
    ['serving-inputs-of-run', buildServingInputs(ofRun, resolve(ofRun, settings), 'CA')],
  ])('is rendered as in golden/%s.yaml', async (name, object) => {
    await expect(dump(object, { lineWidth: -1, noRefs: true })).toMatchFileSnapshot(`golden/${name}.yaml`)
  })

  it('mounts the volume that keeps models into the server alone, where only the container that fetches may write to it', () => {
    const { spec } = buildServer(cached, resolve(cached, settings), settings).spec.template
    const mounted = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ name, volumeMounts = [] }) => [name, volumeMounts.filter((mount) => mount.name === 'model-cache')])
    expect(mounted).toEqual([['fetch', [{ name: 'model-cache', mountPath: '/model-cache' }]], ['serve', [{ name: 'model-cache', mountPath: '/model-cache', readOnly: true }]]])
    expect(JSON.stringify(buildGenerateJob(cached, settings, 1))).not.toContain('persistentVolumeClaim')
  })
})
