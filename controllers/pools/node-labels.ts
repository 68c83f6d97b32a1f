// What the labels of a node say about it.
import type { V1NodeSelectorRequirement } from '@kubernetes/client-node'
import type { Pool } from './pool.ts'

type Labels = Readonly<Record<string, string>>

/** Why nobody should train on a node that is not of a pool's choosing, such as one that a queue admitted to; undefined where all is well. */
export function refusedNode(labels: Labels): string | undefined {
  const product = labels['nvidia.com/gpu.product'] ?? ''
  const partition = labels['cloud.google.com/gke-gpu-partition-size']
  if (product.includes('-MIG-')) return `its GPUs are MIG slices (nvidia.com/gpu.product=${product}), and NCCL cannot train across slices`
  if (partition !== undefined) return `its GPUs are MIG slices (cloud.google.com/gke-gpu-partition-size=${partition}), and NCCL cannot train across slices`
  const sharing = ['nvidia.com/gpu.sharing-strategy', 'cloud.google.com/gke-gpu-sharing-strategy'].find((key) => (labels[key] ?? 'none') !== 'none')
  if (sharing !== undefined) return `its GPUs are shared with other pods (${sharing}=${labels[sharing]})`
  return product.endsWith('-SHARED') ? `its GPUs are shared with other pods (nvidia.com/gpu.product=${product})` : undefined
}

/**
 * The pool that a node belongs to, for the price of an attempt whose node a queue chose. Of several that it fits, one
 * with a price, then the one that says most about its nodes. A pool that any node fits says nothing about this one.
 */
export function poolOfNode(labels: Labels, pools: readonly Pool[]): Pool | undefined {
  const fitting = pools.filter((pool) => requirementsOf(pool) > 0 && fits(labels, pool))
  return fitting.toSorted((one, other) => Number(isPriced(other)) - Number(isPriced(one)) || requirementsOf(other) - requirementsOf(one))[0]
}

function isPriced({ pricePerGPUHour, pricePerPodHour }: Pool): boolean {
  return pricePerGPUHour !== undefined || pricePerPodHour !== undefined
}

function requirementsOf({ nodeSelectorTerms, nodeSelector }: Pool): number {
  const ofTerms = nodeSelectorTerms.map(({ matchExpressions = [] }) => matchExpressions.length)
  return Math.max(0, ...ofTerms) + Object.keys(nodeSelector).length
}

/** Whether the labels of a node meet the selector and one of the terms of a pool. */
export function fits(labels: Labels, { nodeSelectorTerms, nodeSelector }: Pool): boolean {
  const hasLabels = Object.entries(nodeSelector).every(([key, value]) => labels[key] === value)
  const meetsOne = nodeSelectorTerms.some(({ matchExpressions = [] }) => matchExpressions.every((requirement) => meets(labels, requirement)))
  return hasLabels && (nodeSelectorTerms.length === 0 || meetsOne)
}

/** As the scheduler reads a node affinity: NotIn and DoesNotExist hold for a label that is missing. */
function meets(labels: Labels, { key, operator, values = [] }: V1NodeSelectorRequirement): boolean {
  const value = labels[key]
  switch (operator) {
    case 'In': return value !== undefined && values.includes(value)
    case 'NotIn': return value === undefined || !values.includes(value)
    case 'Exists': return value !== undefined
    case 'DoesNotExist': return value === undefined
    case 'Gt': return value !== undefined && Number(value) > Number(values[0])
    case 'Lt': return value !== undefined && Number(value) < Number(values[0])
    default: return false
  }
}
