import { dump } from 'js-yaml'
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { SWEBenchEval, SWEBenchEvalSpec } from '../../../crds/swebench-eval.ts'
import { HARNESS_VERSION } from '../../shared/harness.ts'
import { resolve } from '../resolve.ts'
import { indexed, rowOf } from '../rows.ts'
import type { Settings } from '../settings.ts'
import { buildInputs, type Predictions } from './inputs.ts'
import { buildPrepareJob, buildReportJob } from './jobs.ts'
import { buildNetworkPolicy } from './network-policy.ts'
import { buildListenerJob, buildProbeJob } from './probe-jobs.ts'
import { buildResults, buildShard, ROWS_PER_SHARD } from './results.ts'
import { buildSandboxPod } from './sandbox-pod.ts'

const settings: Settings = { harnessImage: 'ghcr.io/swe-operator/harness:0.1.0', trainer: { image: 'ghcr.io/swe-operator/trainer:0.1.0', imagePullPolicy: 'IfNotPresent' }, serverImages: { Transformers: 'ghcr.io/swe-operator/trainer:0.1.0', VLLM: 'docker.io/vllm/vllm-openai:v0.26.0', SGLang: 'docker.io/lmsysorg/sglang:v0.5.18' }, currency: 'USD', pools: [], imagePullPolicy: 'IfNotPresent', artifactsUrl: 'https://swe-operator-artifacts.swe-operator-system.svc:8443', progressUrl: 'https://swe-operator-progress.swe-operator-system.svc:8443', endpointHost: 'swe-operator-artifacts.swe-operator-system.svc', endpointPort: 8443, operatorNamespace: 'swe-operator-system', nameServers: ['10.96.0.10'], bucket: 'swe-operator', caBundle: () => 'CA' }
const IMAGE = 'swebench/sweb.eval.x86_64.psf_1776_requests-1142:latest'
const CAPABILITY = 'c'.repeat(64)

function anEvaluation(spec: Partial<SWEBenchEvalSpec> = {}): SWEBenchEval {
  return {
    apiVersion: 'swe-operator.dev/v1alpha1', kind: 'SWEBenchEval',
    metadata: { namespace: 'team', name: 'lite', uid: '0b5e7c1a-1111-2222-3333-444455556666' },
    spec: { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWEBench' }, predictions: { gold: {} }, ...spec },
  }
}

const full = anEvaluation({
  instances: { hub: { repo: 'SWE-bench/SWE-bench_Verified', split: 'test', tokenSecretRef: { name: 'hub' } }, format: 'SWEBench', select: { repos: ['psf/requests'], failToPass: { min: 1 }, limit: 10, seed: 7 } },
  predictions: { s3: { uri: 's3://models/preds.json', secretRef: { name: 'models' } } },
  baseline: 'Required',
  sandbox: { resources: { cpu: '2', memory: '8Gi', ephemeralStorage: '20Gi' }, timeoutSeconds: 900, nodeSelector: { pool: 'sandboxes' }, infrastructureRetries: 1 },
  images: { template: 'ghcr.io/epoch-research/swe-bench.eval.x86_64.{instance_id}:latest', mirrors: [{ prefix: 'ghcr.io/', replacement: 'mirror.example.com/' }], pullSecrets: ['docker-hub'], pullTimeoutSeconds: 600 },
})

const byName = anEvaluation({ images: { pullSecrets: ['docker-hub'], pinDigests: 'Never' } })
const allowing = anEvaluation({ sandbox: { network: 'Allow' } })
const pro = anEvaluation({ instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWEBenchPro' } })

const { predictions: _, ...given } = full.spec
const asking: SWEBenchEval = { ...full, spec: { ...given, generation: { model: { fromRun: { name: 'sft' } } } } }

function inputs(evaluation: SWEBenchEval, predictions: Predictions = evaluation.spec.predictions ?? {}) {
  return buildInputs(evaluation, resolve(evaluation, settings), { settings, predictions, caBundle: 'CA' })
}

function aSandbox(evaluation: SWEBenchEval) {
  return buildSandboxPod({ evaluation, resolved: resolve(evaluation, settings), settings, unit: { ordinal: 12, attempt: 2 }, purpose: 'Grade', image: IMAGE, capability: CAPABILITY, address: '10.96.0.7' })
}

describe('what is created for an evaluation', () => {
  it.each([
    ['inputs-minimal', inputs(anEvaluation())],
    ['inputs-dry-run', inputs(anEvaluation({ dryRun: true }))],
    ['inputs-full', inputs(full)],
    ['inputs-generated', inputs(asking, { s3: { uri: 's3://swe-operator/team/0b5e7c1a/samples/p0/predictions.jsonl' }, revision: 'abc' })],
    ['prepare-job-full', buildPrepareJob(full, resolve(full, settings), settings, 1)],
    ['prepare-job-by-name', buildPrepareJob(byName, resolve(byName, settings), settings, 1)],
    ['report-job', buildReportJob(full, settings, 1)],
    ['sandbox-minimal', aSandbox(anEvaluation())],
    ['sandbox-full', aSandbox(full)],
    ['sandbox-pro', aSandbox(pro)],
    ['network-policy', buildNetworkPolicy(full, resolve(full, settings), settings)],
    ['network-policy-allow', buildNetworkPolicy(allowing, resolve(allowing, settings), settings)],
    ['listener-job', buildListenerJob({ evaluation: full, resolved: resolve(full, settings), settings, number: 1 })],
    ['probe-job', buildProbeJob({ evaluation: full, resolved: resolve(full, settings), settings, number: 2 }, '10.244.0.9')],
    ['sandbox-allow', aSandbox(allowing)],
    ['results', buildResults(full, indexed([rowOf({ ordinal: 3, attempt: 1 }, 'i', 3), rowOf({ ordinal: 2, attempt: 1 }, 'R', 60), rowOf({ ordinal: 3, attempt: 2 }, 'X', 4), rowOf({ ordinal: 4, attempt: 1 }, 'T', 900), rowOf({ ordinal: 1, attempt: 1 }, 'U', 9), rowOf({ ordinal: 0, attempt: 1 }, 'T', 900)]), { baselines: 2, compareWith: [] })],
    ['results-cached', buildResults(full, indexed([rowOf({ ordinal: 0, attempt: 1 }, 'C', 0), rowOf({ ordinal: 1, attempt: 1 }, 'F', 0), rowOf({ ordinal: 2, attempt: 1 }, 'G', 0)]), { baselines: 2, compareWith: [] })],
  ])('is rendered as in golden/%s.yaml', async (name, object) => {
    await expect(dump(object, { lineWidth: -1, noRefs: true })).toMatchFileSnapshot(`golden/${name}.yaml`)
  })

  it('is the same each time', () => {
    expect(aSandbox(full)).toEqual(aSandbox(full))
  })

  it('keeps a full shard of results below 20 KB', () => {
    const rows = Array.from({ length: ROWS_PER_SHARD }, (_, index) => rowOf({ ordinal: 90_000 + index, attempt: 20 }, 'U', 86_400))
    expect(JSON.stringify(buildShard(full, 12, rows)).length).toBeLessThan(20_000)
  })
})

describe('a sandbox', () => {
  const { spec } = aSandbox(full)
  const [grade, test] = spec.containers

  it('gives hostile code nothing to take: no token, no Secret, no service, no capability, no name of ours in its environment', () => {
    expect(spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false, securityContext: { seccompProfile: { type: 'RuntimeDefault' } } })
    expect(spec.volumes?.filter((volume) => volume.secret ?? volume.projected ?? volume.hostPath)).toEqual([])
    expect(test).toMatchObject({ name: 'test', securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } })
    expect(JSON.stringify(test)).not.toMatch(new RegExp(`${CAPABILITY}|SWE_|swe-operator-artifacts`))
  })

  it('resolves no name but that of the endpoint', () => {
    expect(spec).toMatchObject({ dnsPolicy: 'None', hostAliases: [{ ip: '10.96.0.7', hostnames: ['swe-operator-artifacts.swe-operator-system.svc'] }] })
  })

  it('is probed in a pod of the same profile', () => {
    const { template: probe } = buildProbeJob({ evaluation: full, resolved: resolve(full, settings), settings, number: 1 }, '10.244.0.9').spec
    for (const [field, value] of Object.entries(probe?.spec ?? {}).filter(([name]) => name !== 'containers')) expect({ [field]: spec[field as keyof typeof spec] }).toEqual({ [field]: value })
    expect(probe?.spec?.containers[0]?.securityContext).toEqual(test?.securityContext)
  })

  it('lets hostile code write nothing outside itself', () => {
    expect(test?.volumeMounts).toEqual([{ name: 'swe', mountPath: '/swe', readOnly: true }])
    expect(test?.resources?.limits).toEqual({ memory: '8Gi', 'ephemeral-storage': '20Gi' })
  })

  it('lets the grading container be nobody, and write its own folders alone', () => {
    expect(grade).toMatchObject({ name: 'grade', securityContext: { runAsNonRoot: true, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } } })
  })

  it('ends by itself even if no clock of ours works', () => {
    expect(spec.activeDeadlineSeconds).toBeGreaterThan(600 + 900)
  })
})

describe('a sandbox of SWE-bench Pro', () => {
  const { spec } = aSandbox(pro)
  const [grade, test, parse] = spec.containers

  it('runs the parser of the rows as another user, who knows no capability and can change nothing of grade', () => {
    expect(spec.containers).toHaveLength(3)
    expect(parse).toMatchObject({ name: 'parse', image: grade?.image, securityContext: { ...grade?.securityContext, runAsUser: 1001, runAsGroup: 1001 } })
    expect(parse).not.toHaveProperty('env')
    expect(JSON.stringify(parse)).not.toContain(CAPABILITY)
    expect(spec).not.toHaveProperty('shareProcessNamespace')
  })

  it('lets parser and grade write one folder each that the other one can only read, and the tests none', () => {
    const mounts = (name: string) => spec.containers.map(({ volumeMounts = [] }) => volumeMounts.find((mount) => mount.name === name)).map((mount) => (mount === undefined ? 'none' : mount.readOnly === true ? 'reads' : 'writes'))
    expect({ parse: mounts('parse'), parsed: mounts('parsed') }).toEqual({ parse: ['writes', 'none', 'reads'], parsed: ['reads', 'none', 'writes'] })
    expect(test?.volumeMounts).toEqual([{ name: 'swe', mountPath: '/swe', readOnly: true }])
  })

  it('bounds what a parser can take, and lets no file of it have the pod evicted', () => {
    expect(parse?.resources?.limits).toEqual({ cpu: '1', memory: '1Gi' })
    expect(spec.volumes?.find(({ name }) => name === 'parsed')?.emptyDir).toEqual({ medium: 'Memory', sizeLimit: '64Mi' })
  })

  it('is no other than that of SWE-bench in a dry run, whose log no parser reads', () => {
    const dry = buildSandboxPod({ evaluation: pro, resolved: resolve(pro, settings), settings, unit: { ordinal: 12, attempt: 2 }, purpose: 'DryRun', image: IMAGE, capability: CAPABILITY })
    expect(dry.spec.containers.map(({ name }) => name)).toEqual(['grade', 'test'])
    expect(dry.spec.containers[0]?.env).toContainEqual({ name: 'SWE_PURPOSE', value: 'DryRun' })
    expect(dry.spec.volumes?.map(({ name }) => name)).toEqual(['swe', 'work', 'trust'])
  })

  it('has the time and the memory that its harness gives', () => {
    expect(resolve(pro, settings)).toMatchObject({ timeoutSeconds: 3600, memory: '8Gi' })
  })
})

describe('a sandbox of an evaluation whose model is kept on a volume', () => {
  it('has nothing of that volume', () => {
    const generation = { model: { fromRun: { name: 'sft' } }, serving: { engine: 'Transformers', modelCache: { claimName: 'models' } } } as const
    const sandbox = aSandbox({ ...asking, spec: { ...asking.spec, generation } })
    expect(sandbox).toEqual(aSandbox(asking))
    expect(JSON.stringify(sandbox)).not.toContain('persistentVolumeClaim')
  })
})

describe('the harness', () => {
  it('is of the version that its image installs', async () => {
    const requirements = await readFile(new URL('../../../workloads/requirements-harness.txt', import.meta.url), 'utf8')
    expect(requirements).toContain(`swebench==${HARNESS_VERSION}\n`)
  })
})
