// What config/ ships, applied to a real API server the way its READMEs say.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { trainingRunSchema } from '../../crds/training-run.ts'
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts'
import { run, succeeds, waitUntil } from '../cluster/exec.ts'

const root = join(import.meta.dirname, '../..')
const HEALTH_KEYS = ['TrainingRun', 'PreferenceGen', 'SWEBenchEval'].map((kind) => `resource.customizations.health.swe-operator.dev_${kind}`)
const configMapSchema = z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()).optional() }), data: z.record(z.string(), z.string()) })

let cluster: ControlPlane

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'config' })
  await kubectl('apply', '--server-side', '-k', join(root, 'crds'))
  await waitUntil('trainingruns are served', 60_000, () => succeeds(cluster.binaries.kubectl, ['--kubeconfig', cluster.kubeconfigPath, 'get', 'trainingruns']))
})

afterAll(() => cluster?.stop())

describe.each(['training-run', 'swe-bench', 'dpo-run'])('the sample %s', (sample) => {
  const folder = join(root, 'config/samples', sample)

  it('is admitted with kubectl apply -k, and a second time changes nothing', async () => {
    await kubectl('apply', '-f', join(root, 'config/samples/training-run/namespace.yaml'))
    expect(await kubectl('apply', '-k', folder)).toMatch(/trainingrun\.swe-operator\.dev\/\S+ created/)
    expect(await kubectl('apply', '-k', folder)).not.toMatch(/created|configured/)
  })

  it('names a ConfigMap and a key that it brings along', async () => {
    const { spec } = trainingRunSchema.pick({ spec: true }).parse(load(readFileSync(join(folder, 'training-run.yaml'), 'utf8')))
    const { configMap } = spec.data.files ?? spec.data.instances ?? spec.data.preferences ?? {}
    const { data } = configMapSchema.parse(JSON.parse(await kubectl('get', 'configmap', '-n', 'demo', configMap?.name ?? '', '-o', 'json')))
    expect(data).toEqual({ [configMap?.key ?? '']: readFileSync(join(folder, 'rows.jsonl'), 'utf8') })
  })
})

it.each(['preference-gen', 'swebench-eval', 'trajectories'])('the samples %s are admitted as they are', async (sample) => {
  await kubectl('apply', '-f', join(root, 'config/samples/training-run/namespace.yaml'))
  expect(await kubectl('apply', '-n', 'demo', '-k', join(root, 'config/samples', sample))).not.toMatch(/unchanged|rror/)
})

it('the sample of linked runs is admitted as a whole', async () => {
  await kubectl('apply', '-f', join(root, 'config/samples/training-run/namespace.yaml'))
  expect(await kubectl('apply', '-k', join(root, 'config/samples/dpo-from-run'))).toMatch(/preferences-from-quickstart created/)
})

it('the sample of a pipeline is admitted as a whole, in a namespace that it brings along', async () => {
  expect((await kubectl('apply', '-k', join(root, 'config/samples/pipeline'))).match(/ created/g)).toHaveLength(6)
})

describe('the Argo CD health check', () => {
  it('joins what is already in argocd-cm', async () => {
    await kubectl('create', 'namespace', 'argocd')
    await kubectl('create', 'configmap', 'argocd-cm', '-n', 'argocd', '--from-literal=url=https://argocd.example.com')
    await kubectl('apply', '--server-side', '-k', join(root, 'config/argocd'))
    const { metadata, data } = configMapSchema.parse(JSON.parse(await kubectl('get', 'configmap', 'argocd-cm', '-n', 'argocd', '-o', 'json')))
    const script = readFileSync(join(root, 'config/argocd/swe-operator.dev/health.lua'), 'utf8')
    expect(data).toEqual({ url: 'https://argocd.example.com', ...Object.fromEntries(HEALTH_KEYS.map((key) => [key, script])) })
    expect(metadata.labels).toEqual({ 'app.kubernetes.io/part-of': 'argocd' })
  })
})

describe('the kustomize base', () => {
  it('is what the chart renders', async () => {
    expect(await run(process.execPath, [join(root, 'config/kustomize/render.ts'), '--check'])).toBe('config/kustomize/base/install.yaml is up to date\n')
  })

  it('is admitted as a whole, in a namespace that restricts its pods', async () => {
    const applied = await run('sh', ['-c', '"$0" --kubeconfig "$1" apply --server-side -k "$2" 2>&1', cluster.binaries.kubectl, cluster.kubeconfigPath, join(root, 'config/kustomize/base')])
    expect(applied).toContain('deployment.apps/swe-operator serverside-applied')
    expect(applied).not.toMatch(/warning/i)
  })
})

function kubectl(...args: readonly string[]): Promise<string> {
  return run(cluster.binaries.kubectl, ['--kubeconfig', cluster.kubeconfigPath, ...args])
}
