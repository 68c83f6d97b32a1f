import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { clusterHandle, upCluster, type ClusterHandle } from '../cluster/cluster.ts'
import { buildImages, importImages, type ProjectImages } from '../cluster/images.ts'
import { kube, type Kube } from './kube.ts'
import { restrictedJob } from './restricted-job.ts'
import { advertiseSimulatedGpus, simulatedPools } from './simulated-gpu.ts'
import { until } from './until.ts'

export const OPERATOR_NAMESPACE = 'swe-operator-system'
const RELEASE = 'swe-operator'
const STORE_URL = `http://swe-operator-store.${OPERATOR_NAMESPACE}.svc:7070`

/** A running local cluster that has the project's images; a site once the operator is installed in it from its chart. */
export type Site = Readonly<{ cluster: ClusterHandle; kube: Kube; images: ProjectImages }>

/** A namespace of a site: where runs are applied and looked at. */
export type Place = Readonly<{ site: Site; namespace: string }>

/** Brings up the named cluster, builds what changed and installs the chart; quick when all of it is there already. */
export async function openSite(name: string, say: (line: string) => void): Promise<Site> {
  const site = await openCluster(name, say)
  say('installing the chart')
  await installChart(site.cluster, site.images)
  await advertiseSimulatedGpus(site.kube)
  return site
}

/** Brings up the named cluster and gives it the project's images, without the operator. */
export async function openCluster(name: string, say: (line: string) => void): Promise<Site> {
  await upCluster(name, { progress: say })
  const cluster = clusterHandle(name)
  const images = await buildImages(say)
  await importImages(cluster, images)
  return { cluster, kube: kube(cluster.binaries.kubectl, cluster.kubeconfigPath), images }
}

async function installChart(cluster: ClusterHandle, images: ProjectImages): Promise<void> {
  const values = {
    ...image('image', images.operator),
    ...image('trainer.image', images.trainer),
    ...image('harness.image', images.harness),
    ...image('artifacts.embedded.image', images.store),
  }
  const sets = Object.entries(values).flatMap(([key, value]) => ['--set-string', `${key}=${value}`])
  await promisify(execFile)(cluster.binaries.helm, [
    'upgrade', '--install', RELEASE, 'charts/swe-operator', '--namespace', OPERATOR_NAMESPACE, '--create-namespace',
    '--kubeconfig', cluster.kubeconfigPath, '--wait', '--timeout', '5m', ...sets,
    '--set-json', `pools=${JSON.stringify(simulatedPools(images.trainer))}`,
  ])
}

function image(key: string, reference: string): Readonly<Record<string, string>> {
  const colon = reference.lastIndexOf(':')
  return { [`${key}.repository`]: reference.slice(0, colon), [`${key}.tag`]: reference.slice(colon + 1) }
}

/** A namespace of its own with a Secret that opens the store, as a user's own bucket would have. */
export async function openNamespace({ site, namespace }: Place): Promise<void> {
  await ensureNamespace(site.kube, namespace)
  const { data } = (await until('the store credentials', 180, () => site.kube.get<{ data: Record<string, string> }>('secret', 'swe-operator-store', OPERATOR_NAMESPACE)))
  const plain = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString()
  await site.kube.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'bucket', namespace },
    stringData: { AWS_ACCESS_KEY_ID: plain('accessKeyId'), AWS_SECRET_ACCESS_KEY: plain('secretAccessKey'), AWS_ENDPOINT_URL: STORE_URL, AWS_REGION: 'us-east-1' },
  })
}

/** A namespace that admits what the operator's own pods are, and nothing wider; images of instances run as root, which only Baseline admits. */
export async function ensureNamespace(client: Kube, name: string, level: 'restricted' | 'baseline' = 'restricted'): Promise<void> {
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': level } } })
}

/** Makes the tiny random Qwen2 inside the cluster and puts it under the namespace's own prefix of the store. */
export async function makeTinyModel({ site, namespace }: Place): Promise<string> {
  const uri = `s3://swe-operator/${namespace}/models/tiny-qwen2`
  // A Job cannot be changed, and an image built since would change it.
  await site.kube.run(['delete', 'job', 'tiny-model', '-n', namespace, '--ignore-not-found', '--wait'])
  await site.kube.apply(tinyModelJob(site.images.trainer, namespace, uri))
  await site.kube.run(['wait', 'job/tiny-model', '-n', namespace, '--for=condition=complete', '--timeout=240s'])
  return uri
}

function tinyModelJob(image: string, namespace: string, uri: string): object {
  return restrictedJob({
    namespace,
    name: 'tiny-model',
    image,
    command: ['python', '-m', 'swe_workloads.tiny_model', '/work/tiny-qwen2', '--upload', uri, '--credentials', '/etc/bucket'],
    labels: { 'app.kubernetes.io/managed-by': 'swe-operator' }, // what the store's network policy lets in
    secret: { name: 'bucket', path: '/etc/bucket' },
  })
}
