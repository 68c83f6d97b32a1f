import type { V1PodSpec } from '@kubernetes/client-node'
import type { Pool } from './pool.ts'

/** Of a pod that is to run on the nodes of a pool. */
export function nodesOf(pool: Pool | undefined): Pick<V1PodSpec, 'affinity' | 'nodeSelector' | 'tolerations'> {
  if (pool === undefined) return {}
  const { nodeSelectorTerms, nodeSelector, tolerations } = pool
  const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [...nodeSelectorTerms] } } }
  return {
    ...(nodeSelectorTerms.length === 0 ? {} : { affinity }),
    ...(Object.keys(nodeSelector).length === 0 ? {} : { nodeSelector: { ...nodeSelector } }),
    ...(tolerations.length === 0 ? {} : { tolerations: [...tolerations] }),
  }
}
