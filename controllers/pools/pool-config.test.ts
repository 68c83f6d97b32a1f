import { describe, expect, it } from 'vitest'
import { fits } from './node-labels.ts'
import { poolsSchema } from './pool-config.ts'

type Given = Readonly<Record<string, unknown>>

const parse = (...pools: readonly Given[]) => poolsSchema.parse(pools)
const only = (pool: Given) => parse({ name: 'p', ...pool })[0] ?? expect.unreachable('no pool')
const problems = (...pools: readonly Given[]) => poolsSchema.safeParse(pools).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []
const simulated = { resource: 'simulated-gpu.swe-operator.dev/a100', product: 'simulated', memoryGi: 40 }

/** Nodes as their platforms label them. */
const nodes = {
  gke: { 'cloud.google.com/gke-accelerator': 'nvidia-tesla-a100' },
  gkeSpot: { 'cloud.google.com/gke-accelerator': 'nvidia-tesla-a100', 'cloud.google.com/gke-spot': 'true' },
  gkePreemptible: { 'cloud.google.com/gke-accelerator': 'nvidia-tesla-a100', 'cloud.google.com/gke-preemptible': 'true' },
  gkeSlices: { 'cloud.google.com/gke-accelerator': 'nvidia-tesla-a100', 'cloud.google.com/gke-gpu-partition-size': '1g.5gb' },
  gkeShared: { 'cloud.google.com/gke-accelerator': 'nvidia-tesla-a100', 'cloud.google.com/gke-gpu-sharing-strategy': 'time-sharing' },
  gke80: { 'cloud.google.com/gke-accelerator': 'nvidia-a100-80gb' },
  karpenter: { 'node.kubernetes.io/instance-type': 'p4d.24xlarge', 'karpenter.sh/capacity-type': 'on-demand', 'karpenter.k8s.aws/instance-gpu-name': 'a100' },
  autoModeSpot: { 'node.kubernetes.io/instance-type': 'p4d.24xlarge', 'karpenter.sh/capacity-type': 'spot', 'eks.amazonaws.com/instance-gpu-name': 'a100' },
  nodeGroup: { 'node.kubernetes.io/instance-type': 'p4d.24xlarge', 'eks.amazonaws.com/capacityType': 'ON_DEMAND' },
  nodeGroupSpot: { 'node.kubernetes.io/instance-type': 'p4d.24xlarge', 'eks.amazonaws.com/capacityType': 'SPOT' },
  p4de: { 'node.kubernetes.io/instance-type': 'p4de.24xlarge', 'karpenter.sh/capacity-type': 'on-demand' },
  p4dInTimeSlices: { 'node.kubernetes.io/instance-type': 'p4d.24xlarge', 'karpenter.sh/capacity-type': 'on-demand', 'nvidia.com/gpu.sharing-strategy': 'time-slicing' },
  nd: { 'node.kubernetes.io/instance-type': 'Standard_ND96asr_v4', 'kubernetes.azure.com/accelerator': 'nvidia' },
  nc: { 'node.kubernetes.io/instance-type': 'standard_nc24ads_a100_v4' },
  ncSpot: { 'node.kubernetes.io/instance-type': 'Standard_NC48ads_A100_v4', 'kubernetes.azure.com/scalesetpriority': 'spot' },
  sxm40: { 'nvidia.com/gpu.product': 'NVIDIA-A100-SXM4-40GB', 'nvidia.com/gpu.sharing-strategy': 'none' },
  oldPcie40: { 'nvidia.com/gpu.product': 'A100-PCIE-40GB' },
  slices40: { 'nvidia.com/gpu.product': 'NVIDIA-A100-SXM4-40GB-MIG-1g.5gb', 'nvidia.com/gpu.slices.gi': '1' },
  shared40: { 'nvidia.com/gpu.product': 'NVIDIA-A100-SXM4-40GB-SHARED' },
  pcie80: { 'nvidia.com/gpu.product': 'NVIDIA-A100-80GB-PCIe' },
  h100: { 'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3' },
}

describe('a pool by platform', () => {
  it.each([
    ['GKE', 'A100-40', false, ['gke']],
    ['GKE', 'A100-40', true, ['gkeSpot']],
    ['GKE', 'A100-80', false, ['gke80']],
    ['EKS', 'A100-40', false, ['karpenter', 'nodeGroup']],
    ['EKS', 'A100-40', true, ['autoModeSpot', 'nodeGroupSpot']],
    ['EKS', 'A100-80', false, ['p4de']],
    ['AKS', 'A100-40', false, ['nd']],
    ['AKS', 'A100-80', false, ['nc']],
    ['AKS', 'A100-80', true, ['ncSpot']],
    ['GFD', 'A100-40', undefined, ['sxm40', 'oldPcie40']],
    ['GFD', 'A100-80', undefined, ['pcie80']],
  ])('on %s with %s, spot %s, has the nodes %j', (platform, gpu, spot, expected) => {
    const pool = only({ platform, gpu, ...(spot === undefined ? {} : { spot }) })
    expect(Object.entries(nodes).filter(([, labels]) => fits(labels, pool)).map(([name]) => name)).toEqual(expected)
  })

  it('asks for whole GPUs and knows how many a node has', () => {
    expect(only({ platform: 'AKS', gpu: 'A100-80' }).gpu).toEqual({ resource: 'nvidia.com/gpu', product: 'NVIDIA A100 80 GB', memoryGi: 80, perNode: 8 })
    expect(only({ platform: 'AKS', gpu: 'A100-80', maxGpusPerNode: 4 }).gpu?.perNode).toBe(4)
  })

  it('tolerates the taints of its platform, and those it names', () => {
    const extra = { key: 'team', operator: 'Exists' }
    expect(only({ platform: 'AKS', gpu: 'A100-40', spot: true, tolerations: [extra] }).tolerations).toEqual([
      { key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' },
      { key: 'sku', operator: 'Equal', value: 'gpu', effect: 'NoSchedule' },
      { key: 'kubernetes.azure.com/scalesetpriority', operator: 'Equal', value: 'spot', effect: 'NoSchedule' },
      extra,
    ])
  })
})

describe('a pool in its own words', () => {
  it('has the nodes that meet one of its terms, and its selector', () => {
    const matchExpressions = [{ key: 'gpu', operator: 'In', values: ['a', 'b'] }, { key: 'cordoned', operator: 'DoesNotExist' }, { key: 'mem', operator: 'Gt', values: ['40000'] }]
    const pool = only({ gpu: simulated, nodeSelectorTerms: [{ matchExpressions }, { matchExpressions: [{ key: 'lab', operator: 'Exists' }] }], nodeSelector: { team: 'x' } })
    expect(fits({ gpu: 'b', mem: '81920', team: 'x' }, pool)).toBe(true)
    expect(fits({ lab: '', team: 'x' }, pool)).toBe(true)
    expect(fits({ lab: '' }, pool)).toBe(false)
    expect(fits({ gpu: 'b', mem: '40000', team: 'x' }, pool)).toBe(false)
    expect(fits({ gpu: 'b', mem: '81920', cordoned: '', team: 'x' }, pool)).toBe(false)
  })

  it('may have no GPU, and a price for its pods', () => {
    expect(only({ pricePerPodHour: '0.19', image: 'trainer:mine', env: { HTTPS_PROXY: 'http://proxy' } })).toEqual({
      name: 'p', nodeSelectorTerms: [], nodeSelector: {}, tolerations: [], env: { HTTPS_PROXY: 'http://proxy' }, image: 'trainer:mine', pricePerPodHour: '0.19',
    })
  })
})

describe('a pool that cannot work is refused with the reason:', () => {
  it.each<[string, Given, string]>([
    ['MIG slices', { gpu: { ...simulated, resource: 'nvidia.com/mig-1g.5gb' } }, '0.gpu.resource: nvidia.com/mig-1g.5gb is a MIG slice: NCCL cannot train across slices of a GPU. Use whole GPUs, nvidia.com/gpu (pool p)'],
    ['time slices', { gpu: { ...simulated, resource: 'nvidia.com/gpu.shared' } }, '0.gpu.resource: nvidia.com/gpu.shared is a GPU in time slices: others take its memory and time in the middle of a step. Use whole GPUs, nvidia.com/gpu (pool p)'],
    ['a GPU nobody knows', { platform: 'GKE', gpu: 'H100' }, '0.gpu: must be one of A100-40, A100-80 with a platform, else {resource, product, memoryGi}'],
    ['a GPU by name without a platform', { gpu: 'A100-40' }, '0.platform: must be set with gpu: A100-40; without one give gpu: {resource, product, memoryGi} (pool p)'],
    ['a platform without a GPU', { platform: 'EKS' }, '0.gpu: must be one of A100-40, A100-80 with a platform (pool p)'],
    ['a platform and terms of its own', { platform: 'EKS', gpu: 'A100-40', nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }] }, '0.nodeSelectorTerms: stands in place of a platform; beside one use nodeSelector (pool p)'],
    ['spot in its own words', { gpu: simulated, spot: true }, '0.spot: goes with a platform; else name the label of your spot nodes in nodeSelector (pool p)'],
    ['spot by GFD', { platform: 'GFD', gpu: 'A100-40', spot: true }, '0.spot: GFD has no label for spot nodes: name that of yours in nodeSelector (pool p)'],
    ['a number of GPUs without GPUs', { maxGpusPerNode: 4 }, '0.maxGpusPerNode: goes with gpu (pool p)'],
    ['a price of GPUs without GPUs', { pricePerGPUHour: '1' }, '0.pricePerGPUHour: goes with gpu; for nodes without GPUs use pricePerPodHour (pool p)'],
    ['a price that is no decimal number', { pricePerPodHour: '1,50' }, '0.pricePerPodHour: must be a decimal number as a string, such as "2.48"'],
    ['an unknown key', { pricePerGpuHour: '1' }, '0: Unrecognized key: "pricePerGpuHour"'],
  ])('%s', (_, pool, message) => {
    expect(problems({ name: 'p', ...pool })).toEqual([message])
  })

  it('two of one name', () => {
    expect(problems({ name: 'p' }, { name: 'p' })).toEqual([': two pools have the name p'])
  })
})
