import type { RbacRule } from './shared/permissions.ts'
import { STORE_SECRET } from './store/credentials.ts'
import { TLS_SECRET } from './tls/keeper.ts'

/** What the operator needs beyond its controllers: for the endpoint, its certificates, the store's key and its own label. */
export const endpointPermissions: readonly RbacRule[] = [
  { scope: 'Cluster', apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
  // A pod that asks before the cache shows it is looked up.
  { scope: 'Cluster', apiGroups: [''], resources: ['pods'], verbs: ['get'] },
  { scope: 'OwnNamespace', apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
  { scope: 'OwnNamespace', apiGroups: [''], resources: ['secrets'], resourceNames: [STORE_SECRET, TLS_SECRET], verbs: ['get', 'patch'] },
  // The label by which the progress Service finds the leader.
  { scope: 'OwnNamespace', apiGroups: [''], resources: ['pods'], verbs: ['patch'] },
]
