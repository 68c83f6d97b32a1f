// The chart's values as zod: values.schema.json and the table in the chart's README are generated from here.
import { z } from 'zod'
import { poolFormSchema, poolName } from '../controllers/pools/pool-config.ts'

const texts = z.record(z.string(), z.string())
const freeForm = z.record(z.string(), z.unknown())
const port = z.int().min(1).max(65_535)
const dnsLabel = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)
const quantity = z.string().regex(/^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi)?$/)
const resources = z.strictObject({ requests: freeForm.optional(), limits: freeForm.optional() }).describe('Requests and limits of the container.')
const pullSecrets = z.array(z.string())
const tolerations = z.array(freeForm)

const image = z.strictObject({
  repository: z.string().min(1),
  tag: z.string().describe("Defaults to the chart's appVersion."),
  digest: z.string().regex(/^(sha256:[0-9a-f]{64})?$/).describe('Such as `sha256:…`; wins over the tag.'),
  pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']),
})

const trainer = z.strictObject({
  image,
  gpuImage: image.omit({ pullPolicy: true }).describe('With CUDA, for pools that have GPUs; pulled as trainer.image is.'),
  imagePullSecrets: pullSecrets.describe('Names of Secrets in the namespace of each run.'),
})

const serving = z.strictObject({
  vllmImage: image.omit({ pullPolicy: true }).extend({ tag: z.string().min(1) }).describe('For engine VLLM of spec.generation.serving; pulled as trainer.image is.'),
  sglangImage: image.omit({ pullPolicy: true }).extend({ tag: z.string().min(1) }).describe('For engine SGLang; pulled likewise.'),
})

const harness = z.strictObject({ image, imagePullSecrets: pullSecrets.describe('Names of Secrets in the namespace of each evaluation.') })

const embedded = z.strictObject({
  enabled: z.boolean().describe('Run an S3 gateway (versitygw) on a volume of this cluster.'),
  image: image.extend({ tag: z.string().min(1) }),
  persistence: z.strictObject({
    size: quantity,
    storageClassName: z.string().describe("Empty means the cluster's default; the file system needs extended attributes."),
    accessModes: z.array(z.enum(['ReadWriteOnce', 'ReadWriteOncePod', 'ReadWriteMany'])).min(1),
    keep: z.boolean().describe('Keep the volume, and with it every artifact, when the release is uninstalled.'),
  }),
  resources,
  nodeSelector: texts,
  tolerations,
  affinity: freeForm,
})

const external = z.strictObject({
  endpoint: z.string().regex(/^(https?:\/\/[^/]+)?$/).describe('URL of the S3 service; the pods of a run must reach it too.'),
  pathStyle: z.boolean().describe('Put the bucket into the path of URLs, not into the host name.'),
  secretRef: z.strictObject({ name: z.string().describe("Secret in the operator's namespace with the keys `accessKeyId` and `secretAccessKey`.") }),
})

const networkPolicy = z.strictObject({
  enabled: z.boolean().describe('Let only the pods of runs reach the operator and the store, and the operator only what it needs.'),
  apiServerPorts: z.array(port).min(1).describe('Where the API server listens.'),
  storePorts: z.array(port).describe('Where an external store listens.'),
  extraEgress: z.array(freeForm).describe('Further egress rules of the operator.'),
})

const metrics = z.strictObject({
  serviceMonitor: z.strictObject({
    enabled: z.boolean().describe("Needs the Prometheus operator's definitions."),
    interval: z.string().regex(/^[0-9]+(ms|s|m)$/),
    labels: texts.describe('What your Prometheus selects monitors by.'),
  }),
  prometheusRule: z.strictObject({
    enabled: z.boolean().describe("Alerts on runs and on the operator; needs the Prometheus operator's definitions."),
    labels: texts.describe('What your Prometheus selects rules by.'),
  }),
})

export const valuesSchema = z.strictObject({
  image,
  imagePullSecrets: pullSecrets.describe("Names of Secrets in the operator's namespace."),
  trainer: trainer.describe('The images of the pods that prepare data and train.'),
  harness: harness.describe('The image that prepares, grades and reports evaluations.'),
  serving: serving.describe('The images that serve models on GPUs, as their projects publish them.'),
  pools: z.record(poolName, poolFormSchema.omit({ name: true })).describe('What `spec.compute.pool` of a run may name; see *Pools of nodes*.'),
  currency: z.string().regex(/^[A-Z]{3}$/).describe('Of all prices of pools.'),
  watchNamespaces: z.array(dnsLabel).max(1).describe('The one namespace in which runs are looked after; empty means all. With one the operator gets a Role in it, in place of cluster-wide rights.'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']),
  replicas: z.int().min(0).max(5).describe('One leads, the others serve artifacts and wait.'),
  resources,
  priorityClassName: z.string(),
  nodeSelector: texts,
  tolerations,
  affinity: freeForm,
  podAnnotations: texts,
  podLabels: texts,
  serviceAccount: z.strictObject({ annotations: texts }),
  crds: z.strictObject({
    enabled: z.boolean().describe('Install the definitions with the release.'),
    keep: z.boolean().describe('Keep the definitions, and with them every run, when the release is uninstalled.'),
  }),
  rbac: z.strictObject({ aggregateToDefaultRoles: z.boolean().describe("Let the cluster's view, edit and admin roles act on runs as well.") }),
  artifacts: z.strictObject({
    bucket: z.string().regex(/^[a-z0-9][-a-z0-9.]{1,61}[a-z0-9]$/).describe('Where everything durable is kept; created when it is missing.'),
    region: z.string().min(1),
    embedded,
    external,
  }),
  podDisruptionBudget: z.strictObject({ enabled: z.boolean() }),
  networkPolicy,
  admissionPolicies: z.strictObject({ enabled: z.boolean().describe('Bound what the operator may create, and let authors name only Secrets they may read.') }),
  metrics,
  global: freeForm.optional().describe('Ignored; Helm hands it to every chart of an umbrella chart.'),
})

/** The JSON schema that Helm checks values against. All keys have defaults in values.yaml, so none is required. */
export function valuesJsonSchema(): string {
  return `${JSON.stringify(withoutRequired(z.toJSONSchema(valuesSchema, { target: 'draft-7' })), undefined, 2)}\n`
}

function withoutRequired(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutRequired)
  if (typeof node !== 'object' || node === null) return node
  // zod bounds integers by what JavaScript can count to, and names the keys of maps; both only make messages longer.
  const kept = Object.entries(node).filter(([key, value]) => !['required', 'propertyNames'].includes(key) && Math.abs(Number(value)) !== Number.MAX_SAFE_INTEGER)
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutRequired(value)]))
}
