// A pool as the operator's configuration writes it; the chart's values have the same form.
import { z } from 'zod'
import type { Gpu, Pool } from './pool.ts'
import { models, platforms, presetOf } from './presets.ts'

const texts = z.record(z.string(), z.string())
const price = z.string().regex(/^[0-9]{1,9}([.][0-9]{1,6})?$/, 'must be a decimal number as a string, such as "2.48"')

const requirementSchema = z.strictObject({
  key: z.string().min(1),
  operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']),
  values: z.array(z.string()).exactOptional(),
})

const tolerationSchema = z.strictObject({
  key: z.string().exactOptional(),
  operator: z.enum(['Exists', 'Equal']).exactOptional(),
  value: z.string().exactOptional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).exactOptional(),
})

const gpuSchema = z.strictObject({
  resource: z.string().regex(/^[a-z0-9.-]+[/][A-Za-z0-9._-]+$/, 'must be an extended resource, such as nvidia.com/gpu'),
  product: z.string().min(1).max(64),
  memoryGi: z.int().min(1).max(1024),
})

const MOST_GPUS = 16 // the bound of spec.compute.gpusPerNode

export const poolName = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be a lower-case name, such as a100-80-gke-spot')

/** Says what it means where it is shown: in the table of the chart's values. */
const fields = {
  name: poolName.describe('What `spec.compute.pool` says.'),
  platform: z.enum(platforms).exactOptional().describe('Whose labels and taints tell the nodes: GKE, EKS, AKS, or GFD for plain labels of GPU feature discovery.'),
  gpu: z
    .union([z.enum(models), gpuSchema], { error: `must be one of ${models.join(', ')} with a platform, else {resource, product, memoryGi}` })
    .exactOptional()
    .describe('A100-40 or A100-80 with a platform, else {resource, product, memoryGi}. Absent: nodes without GPUs.'),
  spot: z.boolean().exactOptional().describe('true: the spot nodes of the platform; else only the others.'),
  maxGpusPerNode: z.int().min(1).max(MOST_GPUS).exactOptional().describe('The most GPUs that a node has. Default: what the platform offers, else 16.'),
  nodeSelectorTerms: z
    .array(z.strictObject({ matchExpressions: z.array(requirementSchema).min(1) }))
    .min(1)
    .exactOptional()
    .describe('In place of a platform: a node must meet one of these, as in a node affinity.'),
  nodeSelector: texts.exactOptional().describe('Labels that a node must have besides.'),
  tolerations: z.array(tolerationSchema).exactOptional().describe('Taints that are tolerated, besides those of the platform.'),
  env: texts.exactOptional().describe('Environment of the training pods, such as {NCCL_SOCKET_IFNAME: eth0}; it wins over what the operator sets.'),
  image: z.string().min(1).exactOptional().describe('In place of the image of the installation.'),
  pricePerGPUHour: price.exactOptional().describe('Price of one GPU for an hour, as a string, in `currency`.'),
  pricePerPodHour: price.exactOptional().describe('Price of one training pod for an hour, as a string, besides its GPUs.'),
}

/** The form alone, which JSON schema can express. */
export const poolFormSchema = z.strictObject(fields)

/** The form and what must fit together in it. */
const poolSchema = poolFormSchema.superRefine((pool, context) => {
  const wrong = misfitOf(pool)
  if (wrong !== undefined) context.addIssue({ code: 'custom', path: [...wrong.path], message: `${wrong.message} (pool ${pool.name})` })
})

/** All pools of an installation, resolved. */
export const poolsSchema = z
  .array(poolSchema)
  .superRefine((pools, context) => {
    const twice = pools.find(({ name }, index) => pools.findIndex((other) => other.name === name) !== index)
    if (twice !== undefined) context.addIssue({ code: 'custom', message: `two pools have the name ${twice.name}` })
  })
  .transform((pools) => pools.map(resolvePool))

type PoolConfig = z.infer<typeof poolFormSchema>
type Misfit = Readonly<{ path: readonly (keyof PoolConfig | keyof Gpu)[]; message: string }>

function misfitOf({ platform, gpu, spot, maxGpusPerNode, nodeSelectorTerms, nodeSelector, pricePerGPUHour }: PoolConfig): Misfit | undefined {
  if (platform !== undefined && typeof gpu !== 'string') return { path: ['gpu'], message: `must be one of ${models.join(', ')} with a platform` }
  if (platform === undefined && typeof gpu === 'string') return { path: ['platform'], message: `must be set with gpu: ${gpu}; without one give gpu: {resource, product, memoryGi}` }
  if (platform !== undefined && nodeSelectorTerms !== undefined) return { path: ['nodeSelectorTerms'], message: 'stands in place of a platform; beside one use nodeSelector' }
  if (platform === undefined && spot !== undefined) return { path: ['spot'], message: 'goes with a platform; else name the label of your spot nodes in nodeSelector' }
  if (platform === 'GFD' && spot === true && nodeSelector === undefined) return { path: ['spot'], message: 'GFD has no label for spot nodes: name that of yours in nodeSelector' }
  if (gpu === undefined && maxGpusPerNode !== undefined) return { path: ['maxGpusPerNode'], message: 'goes with gpu' }
  if (gpu === undefined && pricePerGPUHour !== undefined) return { path: ['pricePerGPUHour'], message: 'goes with gpu; for nodes without GPUs use pricePerPodHour' }
  return typeof gpu === 'object' ? partialGpu(gpu.resource) : undefined
}

function partialGpu(resource: string): Misfit | undefined {
  if (/[/]mig-/.test(resource)) return { path: ['gpu', 'resource'], message: `${resource} is a MIG slice: NCCL cannot train across slices of a GPU. Use whole GPUs, nvidia.com/gpu` }
  if (/[.]shared$/.test(resource)) return { path: ['gpu', 'resource'], message: `${resource} is a GPU in time slices: others take its memory and time in the middle of a step. Use whole GPUs, nvidia.com/gpu` }
  return undefined
}

function resolvePool(config: PoolConfig): Pool {
  const { name, image, pricePerGPUHour, pricePerPodHour } = config
  const preset = nodesOf(config)
  return {
    name,
    ...preset,
    nodeSelector: config.nodeSelector ?? {},
    tolerations: [...preset.tolerations, ...(config.tolerations ?? [])],
    env: config.env ?? {},
    ...(image === undefined ? {} : { image }),
    ...(pricePerGPUHour === undefined ? {} : { pricePerGPUHour }),
    ...(pricePerPodHour === undefined ? {} : { pricePerPodHour }),
  }
}

function nodesOf({ platform, gpu, spot, maxGpusPerNode, nodeSelectorTerms = [] }: PoolConfig): Pick<Pool, 'gpu' | 'nodeSelectorTerms' | 'tolerations'> {
  if (typeof gpu !== 'string' || platform === undefined) {
    return { nodeSelectorTerms, tolerations: [], ...(typeof gpu === 'object' ? { gpu: { ...gpu, perNode: maxGpusPerNode ?? MOST_GPUS } } : {}) }
  }
  const preset = presetOf(platform, gpu, spot === true ? 'Spot' : 'OnDemand')
  return { ...preset, gpu: { ...preset.gpu, perNode: maxGpusPerNode ?? preset.gpu.perNode } }
}
