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

  it('belongs to the first pool whose terms it meets, and never to one that any node fits', () => {
    const pools = poolsSchema.parse([
      { name: 'default', pricePerPodHour: '0.1' },
      { name: 'a100-40-eks', platform: 'EKS', gpu: 'A100-40' },
      { name: 'a100-40-gfd', platform: 'GFD', gpu: 'A100-40' },
      { name: 'cpu-spot', nodeSelector: { spot: 'true' } },
    ])
    const p4d = { 'node.kubernetes.io/instance-type': 'p4d.24xlarge', 'karpenter.sh/capacity-type': 'on-demand', 'nvidia.com/gpu.product': 'NVIDIA-A100-SXM4-40GB' }
    expect(poolOfNode(p4d, pools)?.name).toBe('a100-40-eks')
    expect(poolOfNode({ 'nvidia.com/gpu.product': 'NVIDIA-A100-SXM4-40GB' }, pools)?.name).toBe('a100-40-gfd')
    expect(poolOfNode({ spot: 'true' }, pools)?.name).toBe('cpu-spot')
    expect(poolOfNode({ 'kubernetes.io/os': 'linux' }, pools)).toBeUndefined()
  })
})
