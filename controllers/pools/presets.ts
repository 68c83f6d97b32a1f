import type { V1NodeSelectorRequirement, V1Toleration } from '@kubernetes/client-node'
import type { Gpu, Pool } from './pool.ts'

export const platforms = ['GKE', 'EKS', 'AKS', 'GFD'] as const
export const models = ['A100-40', 'A100-80'] as const

export type Platform = (typeof platforms)[number]
export type Model = (typeof models)[number]

/** The nodes with one GPU model on one platform, as that platform labels and taints them. */
export function presetOf(platform: Platform, model: Model, capacity: Capacity): Pick<Pool, 'nodeSelectorTerms' | 'tolerations'> & Readonly<{ gpu: Gpu }> {
  const { requirement, perNode } = hardware[platform][model]
  const { alternatives, taints } = markets[platform][capacity]
  return {
    gpu: { resource: 'nvidia.com/gpu', ...gpus[model], perNode },
    nodeSelectorTerms: alternatives.map((market) => ({ matchExpressions: [requirement, ...market, ...wholeGpu] })),
    tolerations: [GPU_TAINT, ...taints],
  }
}

export type Capacity = 'OnDemand' | 'Spot'

const gpus: Readonly<Record<Model, Pick<Gpu, 'product' | 'memoryGi'>>> = {
  'A100-40': { product: 'NVIDIA A100 40 GB', memoryGi: 40 },
  'A100-80': { product: 'NVIDIA A100 80 GB', memoryGi: 80 },
}

type Requirement = V1NodeSelectorRequirement

const oneOf = (key: string, ...values: string[]): Requirement => ({ key, operator: 'In', values })
const noneOf = (key: string, ...values: string[]): Requirement => ({ key, operator: 'NotIn', values })
const without = (key: string): Requirement => ({ key, operator: 'DoesNotExist' })

/**
 * GPU feature discovery, where it runs, tells slices by `gpu.slices.gi` (MIG strategy `single`) and shared GPUs by
 * `gpu.sharing-strategy` (`none`, `time-slicing` or `mps`). Source: docs of k8s-device-plugin, gpu-feature-discovery.
 */
const wholeGpu: readonly Requirement[] = [
  without('nvidia.com/gpu.slices.gi'),
  noneOf('nvidia.com/gpu.sharing-strategy', 'time-slicing', 'mps'),
]

/** Set by GKE on every GPU node (value `present`), and on others by convention, with any value. */
const GPU_TAINT: V1Toleration = { key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }

const INSTANCE_TYPE = 'node.kubernetes.io/instance-type'

/** Azure labels a node with its size as it was typed when the node pool was made. */
const azureSizes = (...sizes: readonly string[]) => oneOf(INSTANCE_TYPE, ...sizes.flatMap((size) => [size, size.toLowerCase()]))

type Hardware = Readonly<{ requirement: Requirement; perNode: number }>

/**
 * Which nodes have the GPU, in exact lists. Sources:
 * - GKE: "GPU platforms" (label gke-accelerator; a2-highgpu 1–8 and a2-megagpu 16 GPUs, a2-ultragpu 1–8).
 * - EKS: EC2 instance types. The type is a label under Karpenter, Auto Mode and managed node groups alike, whereas
 *   `karpenter.k8s.aws/instance-gpu-name` is called `eks.amazonaws.com/instance-gpu-name` under Auto Mode and missing in node groups.
 * - AKS: "GPU accelerated" sizes, series ND A100 v4 (40 GB), NDm A100 v4 and NC A100 v4 (80 GB; 1, 2 or 4 GPUs).
 * - GFD: the product as NVIDIA names it, older versions without `NVIDIA-`. Slices and shared GPUs carry a suffix, so they never match.
 */
const hardware: Readonly<Record<Platform, Readonly<Record<Model, Hardware>>>> = {
  GKE: {
    'A100-40': { requirement: oneOf('cloud.google.com/gke-accelerator', 'nvidia-tesla-a100'), perNode: 16 },
    'A100-80': { requirement: oneOf('cloud.google.com/gke-accelerator', 'nvidia-a100-80gb'), perNode: 8 },
  },
  EKS: {
    'A100-40': { requirement: oneOf(INSTANCE_TYPE, 'p4d.24xlarge'), perNode: 8 },
    'A100-80': { requirement: oneOf(INSTANCE_TYPE, 'p4de.24xlarge'), perNode: 8 },
  },
  AKS: {
    'A100-40': { requirement: azureSizes('Standard_ND96asr_v4'), perNode: 8 },
    'A100-80': {
      requirement: azureSizes('Standard_NC24ads_A100_v4', 'Standard_NC48ads_A100_v4', 'Standard_NC96ads_A100_v4', 'Standard_ND96amsr_A100_v4'),
      perNode: 8,
    },
  },
  GFD: {
    'A100-40': {
      requirement: oneOf('nvidia.com/gpu.product', 'NVIDIA-A100-SXM4-40GB', 'NVIDIA-A100-PCIE-40GB', 'A100-SXM4-40GB', 'A100-PCIE-40GB'),
      perNode: 16,
    },
    'A100-80': {
      requirement: oneOf('nvidia.com/gpu.product', 'NVIDIA-A100-SXM4-80GB', 'NVIDIA-A100-80GB-PCIe', 'NVIDIA-A100-PCIE-80GB', 'A100-SXM4-80GB', 'A100-80GB-PCIe'),
      perNode: 16,
    },
  },
}

type Market = Readonly<{ alternatives: readonly (readonly Requirement[])[]; taints: readonly V1Toleration[] }>

const GKE_WHOLE = [without('cloud.google.com/gke-gpu-partition-size'), without('cloud.google.com/gke-gpu-sharing-strategy')]
const GKE_SPOT_TAINT: V1Toleration = { key: 'cloud.google.com/gke-spot', operator: 'Equal', value: 'true', effect: 'NoSchedule' }
const AKS_GPU_TAINT: V1Toleration = { key: 'sku', operator: 'Equal', value: 'gpu', effect: 'NoSchedule' }
const AKS_SPOT_TAINT: V1Toleration = { key: 'kubernetes.azure.com/scalesetpriority', operator: 'Equal', value: 'spot', effect: 'NoSchedule' }
const KARPENTER_CAPACITY = 'karpenter.sh/capacity-type'
const NODE_GROUP_CAPACITY = 'eks.amazonaws.com/capacityType'

/**
 * How spot nodes differ from others. Alternatives are ORed, and Karpenter tries them in this order, so its own label
 * stands first. Sources: GKE "Spot VMs" (label, and the taint of auto-provisioned pools) and "GPU sharing"; Karpenter
 * "Scheduling" (Auto Mode uses the same label), EKS "Managed node groups"; AKS "Spot node pools" and "Node auto-provisioning".
 */
const markets: Readonly<Record<Platform, Readonly<Record<Capacity, Market>>>> = {
  GKE: {
    OnDemand: { alternatives: [[without('cloud.google.com/gke-spot'), without('cloud.google.com/gke-preemptible'), ...GKE_WHOLE]], taints: [] },
    Spot: { alternatives: [[oneOf('cloud.google.com/gke-spot', 'true'), ...GKE_WHOLE]], taints: [GKE_SPOT_TAINT] },
  },
  EKS: {
    OnDemand: { alternatives: [[oneOf(KARPENTER_CAPACITY, 'on-demand', 'reserved')], [oneOf(NODE_GROUP_CAPACITY, 'ON_DEMAND', 'CAPACITY_BLOCK')]], taints: [] },
    Spot: { alternatives: [[oneOf(KARPENTER_CAPACITY, 'spot')], [oneOf(NODE_GROUP_CAPACITY, 'SPOT')]], taints: [] },
  },
  AKS: {
    OnDemand: { alternatives: [[noneOf('kubernetes.azure.com/scalesetpriority', 'spot'), noneOf(KARPENTER_CAPACITY, 'spot')]], taints: [AKS_GPU_TAINT] },
    Spot: { alternatives: [[oneOf(KARPENTER_CAPACITY, 'spot')], [oneOf('kubernetes.azure.com/scalesetpriority', 'spot')]], taints: [AKS_GPU_TAINT, AKS_SPOT_TAINT] },
  },
  GFD: {
    OnDemand: { alternatives: [[]], taints: [] },
    // No label of GFD says spot: the pool must name the installation's own.
    Spot: { alternatives: [[]], taints: [] },
  },
}
