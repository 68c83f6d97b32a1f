import { describe, expect, it } from 'vitest'
import { poolOfNode, refusedNode } from './node-labels.ts'
import { poolsSchema } from './pool-config.ts'

describe('a node that a queue chose', () => {
  it.each([
    [{ 'nvidia.com/gpu.product': 'NVIDIA-A100-SXM4-40GB-MIG-1g.5gb' }, 'its GPUs are MIG slices (nvidia.com/gpu.product=NVIDIA-A100-SXM4-40GB-MIG-1g.5gb), and NCCL cannot train across slices'],
    [{ 'cloud.google.com/gke-gpu-partition-size': '1g.5gb' }, 'its GPUs are MIG slices (cloud.google.com/gke-gpu-partition-size=1g.5gb), and NCCL cannot train across slices'],
    [{ 'nvidia.com/gpu.product': 'NVIDIA-A100-SXM4-40GB-SHARED' }, 'its GPUs are shared with other pods (nvidia.com/gpu.product=NVIDIA-A100-SXM4-40GB-SHARED)'],
    [{ 'nvidia.com/gpu.sharing-strategy': 'mps' }, 'its GPUs are shared with other pods (nvidia.com/gpu.sharing-strategy=mps)'],
    [{ 'cloud.google.com/gke-gpu-sharing-strategy': 'time-sharing' }, 'its GPUs are shared with other pods (cloud.google.com/gke-gpu-sharing-strategy=time-sharing)'],
  ])('is refused by its labels %j', (labels, message) => {
    expect(refusedNode(labels)).toBe(message)
  })

  it.each([[{}], [{ 'nvidia.com/gpu.product': 'NVIDIA-A100-SXM4-40GB', 'nvidia.com/gpu.sharing-strategy': 'none', 'nvidia.com/mig.strategy': 'single' }]])('is accepted by its labels %j', (labels) => {
    expect(refusedNode(labels)).toBeUndefined()
  })

  const p4d = { 'node.kubernetes.io/instance-type': 'p4d.24xlarge', 'karpenter.sh/capacity-type': 'on-demand', 'nvidia.com/gpu.product': 'NVIDIA-A100-SXM4-40GB' }
  const gfd = { name: 'a100-40-gfd', platform: 'GFD', gpu: 'A100-40' }
  const eks = { name: 'a100-40-eks', platform: 'EKS', gpu: 'A100-40' }
  const poolFor = (labels: Readonly<Record<string, string>>, ...pools: readonly object[]) => poolOfNode(labels, poolsSchema.parse(pools))?.name

  it('belongs to a pool whose terms or selector it meets, and never to one that any node fits', () => {
    const pools = [{ name: 'default', pricePerPodHour: '0.1' }, gfd, { name: 'cpu-spot', nodeSelector: { spot: 'true' } }]
    expect(poolFor(p4d, ...pools)).toBe('a100-40-gfd')
    expect(poolFor({ spot: 'true' }, ...pools)).toBe('cpu-spot')
    expect(poolFor({ 'kubernetes.io/os': 'linux' }, ...pools)).toBeUndefined()
  })

  it('belongs, of several, to one with a price, then to the one that says most', () => {
    expect(poolFor(p4d, gfd, eks)).toBe('a100-40-eks')
    expect(poolFor(p4d, eks, { ...gfd, pricePerGPUHour: '2' })).toBe('a100-40-gfd')
    expect(poolFor(p4d, { ...gfd, pricePerGPUHour: '2' }, { ...eks, pricePerGPUHour: '4' })).toBe('a100-40-eks')
  })
})
