// What each part of the operator declares that it needs, in one list.
import type { RbacRule } from '../controllers/shared/permissions.ts'

export const operatorPermissions: readonly RbacRule[] = [
  { apiGroups: ['swe-operator.dev'], resources: ['trainingruns'], verbs: ['get', 'list', 'watch'], scope: 'Cluster' },
  { apiGroups: ['swe-operator.dev'], resources: ['trainingruns/status'], verbs: ['get', 'patch'], scope: 'Cluster' },
  { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'], scope: 'Cluster' },
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch', 'patch', 'delete'], scope: 'Cluster' },
  { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'], scope: 'Cluster' },
  { apiGroups: ['events.k8s.io', ''], resources: ['events'], verbs: ['create', 'patch'], scope: 'Cluster' },
  { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'], scope: 'Cluster' },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'], scope: 'OwnNamespace' },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: ['swe-operator-leader'], verbs: ['get', 'update', 'patch'], scope: 'OwnNamespace' },
  { apiGroups: [''], resources: ['secrets'], verbs: ['create'], scope: 'OwnNamespace' },
  { apiGroups: [''], resources: ['secrets'], resourceNames: ['swe-operator-store', 'swe-operator-tls'], verbs: ['get', 'patch'], scope: 'OwnNamespace' },
  { apiGroups: [''], resources: ['pods'], verbs: ['patch'], scope: 'OwnNamespace' },
]
