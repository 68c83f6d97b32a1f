import { inject } from 'vitest'
import { clusterHandle } from '../cluster/cluster.ts'
import { kube } from '../world/kube.ts'
import type { Site } from '../world/site.ts'

/** The cluster that setup.ts brought up, seen from a test file. */
export function stage(): Readonly<{ site: Site; namespace: string; model: string }> {
  const cluster = clusterHandle(inject('cluster'))
  return { site: { cluster, kube: kube(cluster.binaries.kubectl, cluster.kubeconfigPath), images: inject('images') }, namespace: inject('namespace'), model: inject('model') }
}
