// What the controller of an asker watches, caches and may do for its model.
import { TrainingRunType } from '../../crds/training-run.ts'
import type { KubeObject } from '../../operator/api/object.ts'
import type { CachedKind } from '../../operator/cache/cache.ts'
import type { Watched } from '../../operator/control/controller.ts'
import { DeploymentType, NetworkPolicyType, PodType, ServiceType } from '../shared/kinds.ts'
import { CHILDREN_SELECTOR, ownerOf, ROLE } from '../shared/labels.ts'
import { isFinished } from '../shared/lifecycle.ts'
import type { RbacRule } from '../shared/permissions.ts'
import { referenceKey } from '../shared/references.ts'
import type { Asker } from './asker.ts'
import { awaitedBy } from './from-run.ts'

/** Of the objects that serve a model. */
export const serverTypes = [DeploymentType, ServiceType, NetworkPolicyType]

/** Caches of these, but for NetworkPolicies, which sandboxes have too. */
export const serverKinds: readonly CachedKind[] = [
  { type: DeploymentType, labelSelector: CHILDREN_SELECTOR, project: withoutSpec },
  { type: ServiceType, labelSelector: CHILDREN_SELECTOR, project: withoutSpec },
]

/** Pods of the server belong to ReplicaSets; the label leads further. */
export function wokenByServer(kind: Asker['kind']): Watched {
  const owners = ownerOf(kind)
  return { type: PodType, labelSelector: CHILDREN_SELECTOR, keys: (pod) => (pod.metadata.labels?.[ROLE] === 'serve' ? owners(pod) : []) }
}

export const modelPermissions: readonly RbacRule[] = [
  // What serves a model is made, and taken away; never changed.
  { scope: 'Cluster', apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'watch', 'create', 'delete'] },
  { scope: 'Cluster', apiGroups: [''], resources: ['services'], verbs: ['get', 'list', 'watch', 'create', 'delete'] },
  { scope: 'Cluster', apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['get', 'list', 'watch', 'create', 'delete'] },
  // The run whose model is asked, and all that may wait in a circle with it.
  { scope: 'Cluster', apiGroups: ['swe-operator.dev'], resources: ['trainingruns', 'preferencegens', 'swebenchevals'], verbs: ['get', 'list', 'watch'] },
]

/** For the index of an asker's own cache: the key of the run that it waits for. One that is finished waits for nobody. As the API server admitted it. */
export function awaitedRun(object: KubeObject): readonly string[] {
  const asker = object as Asker
  const name = awaitedBy(asker)
  return name === undefined || isFinished(asker) ? [] : [referenceKey(TrainingRunType, { namespace: asker.metadata.namespace ?? '', name })]
}

function withoutSpec({ apiVersion, kind, metadata, ...rest }: KubeObject & Readonly<{ status?: unknown }>): KubeObject {
  return { apiVersion, kind, metadata, ...('status' in rest ? { status: rest.status } : {}) }
}
