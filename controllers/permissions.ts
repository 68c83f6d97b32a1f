import { CAPABILITY_SECRET } from './endpoint/capabilities.ts'
import { ARTIFACTS_SERVICE } from './endpoint/address.ts'
import type { RbacRule } from './shared/permissions.ts'
import { preferenceGenPermissions } from './preference-gen/controller.ts'
import { STORE_SECRET } from './store/credentials.ts'
import { TLS_SECRET } from './tls/keeper.ts'
import { sweBenchEvalPermissions } from './swebench-eval/controller.ts'
import { trainingRunPermissions } from './training-run/controller.ts'

export const LEASE = 'swe-operator-leader'

/** What the runtime needs to elect a leader and to record events. */
const runtimePermissions: readonly RbacRule[] = [
  { scope: 'OwnNamespace', apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
  { scope: 'OwnNamespace', apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: [LEASE], verbs: ['get', 'patch'] },
  { scope: 'Cluster', apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
]

/** What the endpoint, its certificates, the store's key and the leader's label need. */
const endpointPermissions: readonly RbacRule[] = [
  { scope: 'Cluster', apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
  // A run or pod that the cache does not show is looked up when a pod asks: it may be newer than the cache, or gone.
  { scope: 'Cluster', apiGroups: ['swe-operator.dev'], resources: ['trainingruns', 'preferencegens', 'swebenchevals'], verbs: ['get'] },
  { scope: 'Cluster', apiGroups: [''], resources: ['pods'], verbs: ['get'] },
  { scope: 'OwnNamespace', apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
  { scope: 'OwnNamespace', apiGroups: [''], resources: ['secrets'], resourceNames: [STORE_SECRET, TLS_SECRET, CAPABILITY_SECRET], verbs: ['get', 'patch'] },
  // Sandboxes have no DNS: they are told the address.
  { scope: 'OwnNamespace', apiGroups: [''], resources: ['services'], resourceNames: [ARTIFACTS_SERVICE], verbs: ['get'] },
  // The label by which the progress Service finds the leader.
  { scope: 'OwnNamespace', apiGroups: [''], resources: ['pods'], verbs: ['patch'] },
]

/** All that the operator may do; the chart's roles are made of this. */
export const operatorPermissions: readonly RbacRule[] = [...trainingRunPermissions, ...preferenceGenPermissions, ...sweBenchEvalPermissions, ...runtimePermissions, ...endpointPermissions]
