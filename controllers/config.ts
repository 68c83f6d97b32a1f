import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { poolsSchema } from './pools/pool-config.ts'

const DEFAULT_PATH = '/etc/swe-operator/config.json' // where the chart mounts it

const port = z.int().min(0).max(65_535) // 0 takes a free one, for tests
const endpointsSchema = z.strictObject({
  /** Where the HTTPS endpoint listens, and on which port pods find it. */
  host: z.string().min(1).default('0.0.0.0'),
  port: port.default(8443),
  /** Health, readiness and metrics, over plain HTTP. */
  healthPort: port.default(8080),
  /** The DNS names pods use; absent: those of the chart's Services. */
  artifactsHost: z.string().min(1).optional(),
  progressHost: z.string().min(1).optional(),
})

const storeSchema = z.strictObject({
  endpoint: z.url({ protocol: /^https?$/ }),
  region: z.string().min(1),
  bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
  pathStyle: z.boolean().default(true),
  credentials: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('Embedded'), secretName: z.string().min(1) }),
    z.strictObject({ kind: z.literal('Files'), directory: z.string().min(1) }),
  ]),
})

const configSchema = z.strictObject({
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  /** Empty: all namespaces. */
  watchNamespaces: z.array(z.string().min(1)).max(1, 'the operator watches all namespaces or one').default([]),
  trainer: z.strictObject({
    image: z.string().min(1),
    /** With CUDA, for pools that have GPUs. */
    gpuImage: z.string().min(1),
    imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']),
    imagePullSecrets: z.array(z.string()).default([]),
  }),
  /** The image that prepares, grades and reports evaluations. */
  harness: z.strictObject({
    image: z.string().min(1),
    imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']),
    imagePullSecrets: z.array(z.string()).default([]),
  }),
  /** What serves models on GPUs; pulled as the trainer is. */
  serving: z.strictObject({ vllmImage: z.string().min(1), sglangImage: z.string().min(1) }),
  /** What spec.compute.pool and spec.generation.serving.pool may name. */
  pools: poolsSchema.default([]),
  /** Of the prices of pools. */
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be three capital letters, such as USD').default('USD'),
  store: storeSchema,
  endpoints: endpointsSchema.prefault({}),
})

const podSchema = z.object({ POD_NAME: z.string().min(1), POD_NAMESPACE: z.string().min(1), POD_UID: z.string().min(1) })

/** What the operator is told about its installation. */
export type Config = z.infer<typeof configSchema> & Readonly<{
  pod: Readonly<{ name: string; namespace: string; uid: string }>
  artifactsHost: string
  progressHost: string
}>

type Environment = Readonly<Record<string, string | undefined>>

/** From the file SWE_OPERATOR_CONFIG names, and the pod's own identity from POD_NAME, POD_NAMESPACE and POD_UID. Throws an error that names each wrong field. */
export async function readConfig(environment: Environment): Promise<Config> {
  const path = environment['SWE_OPERATOR_CONFIG'] ?? DEFAULT_PATH
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Error(`The configuration ${path} cannot be read; SWE_OPERATOR_CONFIG names another place.`, { cause })
  })
  return parseConfig(text, environment, path)
}

export function parseConfig(text: string, environment: Environment, path: string): Config {
  const config = parse(configSchema, json(text, path), path)
  const { POD_NAME: name, POD_NAMESPACE: namespace, POD_UID: uid } = parse(podSchema, environment, 'the environment')
  return {
    ...config,
    pod: { name, namespace, uid },
    artifactsHost: config.endpoints.artifactsHost ?? `swe-operator-artifacts.${namespace}.svc`,
    progressHost: config.endpoints.progressHost ?? `swe-operator-progress.${namespace}.svc`,
  }
}

function json(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error(`The configuration ${path} is not JSON.`, { cause })
  }
}

function parse<T>(schema: z.ZodType<T>, raw: unknown, origin: string): T {
  const parsed = schema.safeParse(raw)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'it'}: ${issue.message}`)
  throw new Error(`In ${origin}, ${problems.join('; ')}.`)
}
