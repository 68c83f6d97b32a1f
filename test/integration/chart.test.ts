// The chart as Helm renders it. No cluster is needed.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load, loadAll } from 'js-yaml'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ensureBinaries } from '../cluster/binaries.ts'
import { run } from '../cluster/exec.ts'

const chart = join(import.meta.dirname, '../../charts/swe-operator')
const EXTERNAL_STORE = ['artifacts.embedded.enabled=false', 'artifacts.external.endpoint=https://s3.example.com', 'artifacts.external.secretRef.name=keys']

const manifestSchema = z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }) })
const configSchema = z
  .looseObject({ data: z.looseObject({ 'config.json': z.string() }) })
  .transform(({ data }) => z.looseObject({ pools: z.array(z.looseObject({ name: z.string() })) }).parse(JSON.parse(data['config.json'])))
type Manifest = z.infer<typeof manifestSchema>

let helm: string
beforeAll(async () => {
  helm = (await ensureBinaries()).helm
})

function render(...settings: readonly string[]): Promise<string> {
  return run(helm, ['template', 'swe-operator', chart, '--namespace', 'swe-operator-system', ...settings.flatMap((setting) => ['--set', setting])])
}

async function manifests(...settings: readonly string[]): Promise<readonly Manifest[]> {
  return loadAll(await render(...settings)).filter((document) => document !== null && document !== undefined).map((document) => manifestSchema.parse(document))
}

function named(all: readonly Manifest[], kind: string, name: string): Manifest {
  const found = all.find((one) => one.kind === kind && one.metadata.name === name)
  if (found === undefined) throw new Error(`no ${kind} ${name} among ${all.map((one) => `${one.kind} ${one.metadata.name}`).join(', ')}`)
  return found
}

const namesOf = (all: readonly Manifest[], kind: string) => all.filter((one) => one.kind === kind).map(({ metadata: { namespace, name } }) => (namespace === undefined ? name : `${namespace}/${name}`))

describe('the chart', () => {
  it('passes helm lint', async () => {
    expect(await run(helm, ['lint', '--strict', chart])).toContain('0 chart(s) failed')
  })

  it('renders the same bytes twice', async () => {
    expect(await render()).toBe(await render())
  })

  it('ships the definitions byte for byte, kept on uninstall unless told otherwise', async () => {
    const crd = readFileSync(join(chart, '../../crds/generated/swe-operator.dev_trainingruns.yaml'), 'utf8')
    const spec = crd.slice(crd.indexOf('\nspec:'))
    expect(await render()).toContain(spec.trimEnd())
    const keep = { 'helm.sh/resource-policy': 'keep' }
    expect(named(await manifests(), 'CustomResourceDefinition', 'trainingruns.swe-operator.dev').metadata).toMatchObject({ annotations: keep })
    expect(named(await manifests('crds.keep=false'), 'CustomResourceDefinition', 'trainingruns.swe-operator.dev').metadata).not.toMatchObject({ annotations: keep })
    expect(namesOf(await manifests('crds.enabled=false'), 'CustomResourceDefinition')).toEqual([])
  })

  it('contains no resource of the kinds it defines, which Helm could not install with it', async () => {
    expect(await render()).not.toMatch(/^apiVersion: swe-operator\.dev/m)
  })

  it.each([
    [['image.repo=x'], "additional properties 'repo' not allowed"],
    [['artifacts.embeded.enabled=true'], "additional properties 'embeded' not allowed"],
    [['replicas=two'], "at '/replicas': got string, want integer"],
    [['pools.slices.gpu.resource=nvidia.com/mig-1g.5gb'], 'pools.slices.gpu.resource: nvidia.com/mig-1g.5gb is a part of a GPU'],
    [['pools.h100.gpu=H100'], "value must be one of 'A100-40', 'A100-80'"],
    [['pools.a100-40-gke.pricePerGPUHour=3'], "at '/pools/a100-40-gke/pricePerGPUHour': got number, want string"],
    [['artifacts.embedded.enabled=false'], 'artifacts.external.endpoint: set the URL of the S3 service'],
    [['artifacts.embedded.enabled=false', 'artifacts.external.endpoint=https://s3'], 'artifacts.external.secretRef.name: name a Secret'],
  ])('refuses %s and says why', async (settings, message) => {
    await expect(render(...settings)).rejects.toThrow(message)
  })
})

describe('its pods', () => {
  it.each([['swe-operator'], ['swe-operator-store']])('meet the restricted pod security standard: %s', async (name) => {
    const deployment = named(await manifests(), 'Deployment', name)
    expect(deployment).toMatchObject({
      spec: { template: { spec: {
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [{ securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } } }],
      } } },
    })
  })

  it('are probed, and the operator has time to stop in order', async () => {
    expect(named(await manifests(), 'Deployment', 'swe-operator')).toMatchObject({
      spec: { template: { spec: {
        terminationGracePeriodSeconds: 45,
        containers: [{ livenessProbe: { httpGet: { path: '/healthz' } }, readinessProbe: { httpGet: { path: '/readyz' } }, startupProbe: { httpGet: { path: '/healthz' } } }],
      } } },
    })
  })

  it('are replaced when the configuration changes, and only then', async () => {
    const checksum = async (...settings: string[]) => JSON.stringify(named(await manifests(...settings), 'Deployment', 'swe-operator')).match(/"checksum\/config":"(\w+)"/)?.[1]
    expect(await checksum('resources.requests.cpu=200m')).toBe(await checksum())
    expect(await checksum('logLevel=debug')).not.toBe(await checksum())
  })

  it('take images by tag, by the version of the chart, or by digest', async () => {
    const image = async (...settings: string[]) => JSON.stringify(named(await manifests(...settings), 'Deployment', 'swe-operator')).match(/"image":"([^"]+)"/)?.[1]
    expect(await image()).toBe('ghcr.io/swe-operator/operator:0.1.0')
    expect(await image('image.repository=localhost/x', 'image.tag=abc')).toBe('localhost/x:abc')
    expect(await image(`image.digest=sha256:${'a'.repeat(64)}`)).toBe(`ghcr.io/swe-operator/operator@sha256:${'a'.repeat(64)}`)
  })
})

describe('its pools of nodes', () => {
  const configOf = async (...settings: string[]) => configSchema.parse(named(await manifests(...settings), 'ConfigMap', 'swe-operator-config'))

  it('reach the operator by name, with the images that train on them', async () => {
    const config = await configOf('trainer.gpuImage.repository=registry/cuda', 'trainer.gpuImage.tag=cu124')
    expect(config).toMatchObject({ trainer: { image: 'ghcr.io/swe-operator/trainer:0.1.0', gpuImage: 'registry/cuda:cu124' }, currency: 'USD' })
    expect(config.pools).toContainEqual({ name: 'a100-80-aks-spot', platform: 'AKS', gpu: 'A100-80', spot: true })
  })

  it('can be given a price, added and left out, each for itself', async () => {
    const { pools } = await configOf('pools.a100-40-gke.pricePerGPUHour=2.93', 'pools.a100-40-eks=null', 'pools.cpu.pricePerPodHour=0.19')
    expect(pools).toHaveLength(14)
    expect(pools).toContainEqual({ name: 'a100-40-gke', platform: 'GKE', gpu: 'A100-40', pricePerGPUHour: '2.93' })
    expect(pools).toContainEqual({ name: 'cpu', pricePerPodHour: '0.19' })
    expect(pools.map(({ name }) => name)).not.toContain('a100-40-eks')
  })
})

describe('its network', () => {
  it('sends progress to the leader and everything else to every replica', async () => {
    const all = await manifests()
    expect(named(all, 'Service', 'swe-operator-progress')).toMatchObject({ spec: { selector: { 'swe-operator.dev/leader': 'true' }, publishNotReadyAddresses: false } })
    expect(named(all, 'Service', 'swe-operator-artifacts')).not.toHaveProperty(['spec', 'selector', 'swe-operator.dev/leader'])
  })

  it('lets only the operator and the pods of runs reach the store', async () => {
    const policy = named(await manifests(), 'NetworkPolicy', 'swe-operator-store')
    expect(policy).toMatchObject({ spec: { egress: [], ingress: [{ from: [
      { namespaceSelector: {}, podSelector: { matchLabels: { 'app.kubernetes.io/managed-by': 'swe-operator' } } },
      { podSelector: { matchLabels: { 'app.kubernetes.io/component': 'operator' } } },
    ], ports: [{ port: 7070 }] }] } })
  })
})

describe('its roles', () => {
  const rights = async (...settings: string[]) => (await manifests(...settings)).filter((one) => ['Role', 'ClusterRole'].includes(one.kind)).map((one) => JSON.stringify(one['rules']))

  it('hold no wildcard and nothing that would run commands, make tokens or act as others', async () => {
    for (const rules of await rights()) expect(rules).not.toMatch(/"\*"|exec|attach|portforward|impersonate|serviceaccounts|escalate|"bind"|nodes\//)
  })

  it('touch Secrets only in the namespace of the operator', async () => {
    const withSecrets = (await manifests()).filter((one) => JSON.stringify(one['rules'])?.includes('secrets'))
    expect(withSecrets.map(({ kind, metadata }) => [kind, metadata.namespace, metadata.name])).toEqual([['Role', 'swe-operator-system', 'swe-operator']])
  })

  it('move into the namespace that is watched, when it is named', async () => {
    const all = await manifests('watchNamespaces={team-a}')
    expect(namesOf(all, 'Role')).toEqual(['swe-operator-system/swe-operator', 'team-a/swe-operator-runs'])
    expect(namesOf(all, 'RoleBinding')).toEqual(['swe-operator-system/swe-operator', 'team-a/swe-operator-runs'])
    expect(named(all, 'ClusterRole', 'swe-operator')['rules']).toEqual([
      { apiGroups: [''], resources: ['nodes'], verbs: ['get'] },
      { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
    ])
  })
})

describe('an external store', () => {
  it('replaces the embedded one and gives its key to the operator as files', async () => {
    const all = await manifests(...EXTERNAL_STORE)
    expect(namesOf(all, 'Deployment')).toEqual(['swe-operator-system/swe-operator'])
    expect(namesOf(all, 'PersistentVolumeClaim')).toEqual([])
    expect(JSON.stringify(named(all, 'ConfigMap', 'swe-operator-config'))).toContain('https://s3.example.com')
    expect(named(all, 'Deployment', 'swe-operator')).toMatchObject({ spec: { template: { spec: {
      volumes: expect.arrayContaining([{ name: 'store', secret: { secretName: 'keys' } }]),
      containers: [{ volumeMounts: expect.arrayContaining([{ name: 'store', mountPath: '/etc/swe-operator-store', readOnly: true }]) }],
    } } } })
  })
})

describe('what it gives Prometheus', () => {
  it('keeps the namespace of a run, which that of the scraped Service would replace', async () => {
    const monitor = named(await manifests('metrics.serviceMonitor.enabled=true'), 'ServiceMonitor', 'swe-operator')
    expect(monitor).toMatchObject({ spec: { endpoints: [{ path: '/metrics', honorLabels: true }] } })
  })

  it('is the file of alerts, word for word, under the labels that its Prometheus selects rules by', async () => {
    const rule = named(await manifests('metrics.prometheusRule.enabled=true', 'metrics.prometheusRule.labels.release=prometheus'), 'PrometheusRule', 'swe-operator')
    expect(rule['spec']).toEqual(load(readFileSync(join(chart, 'files/alerts.yaml'), 'utf8')))
    expect(rule.metadata).toMatchObject({ labels: { release: 'prometheus' } })
  })
})

describe('optional parts', () => {
  it.each([
    ['NetworkPolicy', 'networkPolicy.enabled=false'],
    ['ValidatingAdmissionPolicy', 'admissionPolicies.enabled=false'],
    ['PodDisruptionBudget', 'podDisruptionBudget.enabled=false'],
  ])('%s can be left out', async (kind, setting) => {
    expect(namesOf(await manifests(), kind)).not.toEqual([])
    expect(namesOf(await manifests(setting), kind)).toEqual([])
  })

  it.each([['ServiceMonitor', 'metrics.serviceMonitor.enabled=true'], ['PrometheusRule', 'metrics.prometheusRule.enabled=true']])('%s can be asked for', async (kind, setting) => {
    expect(namesOf(await manifests(), kind)).toEqual([])
    expect(namesOf(await manifests(setting), kind)).toEqual(['swe-operator-system/swe-operator'])
  })
})
