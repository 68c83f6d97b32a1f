import type { V1NodeSelectorTerm, V1Toleration } from '@kubernetes/client-node'

/** Nodes of one kind, under the name by which `spec.compute.pool` asks for them. */
export type Pool = Readonly<{
  name: string
  /** Absent: nodes without GPUs. */
  gpu?: Gpu
  /** A node belongs to the pool if its labels meet one of these; none: any node does. */
  nodeSelectorTerms: readonly V1NodeSelectorTerm[]
  /** Labels that a node must have besides. */
  nodeSelector: Readonly<Record<string, string>>
  tolerations: readonly V1Toleration[]
  /** For the network of these nodes, such as NCCL_SOCKET_IFNAME. */
  env: Readonly<Record<string, string>>
  /** In place of the trainer image of the installation. */
  image?: string
  /** Decimal strings, in the currency of the installation. */
  pricePerGPUHour?: string
  pricePerPodHour?: string
}>

export type Gpu = Readonly<{
  /** The extended resource, such as nvidia.com/gpu. */
  resource: string
  /** For people, such as NVIDIA A100 80 GB. */
  product: string
  memoryGi: number
  /** The most GPUs that a node of the pool has. */
  perNode: number
}>

export function poolNamed(wanted: string | undefined, pools: readonly Pool[]): Pool | undefined {
  return pools.find(({ name }) => name === wanted)
}
