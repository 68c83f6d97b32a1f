import { parsePreferenceGen, PreferenceGenType } from '../../crds/preference-gen.ts'
import { SWEBenchEvalType } from '../../crds/swebench-eval.ts'
import { TrainingRunType } from '../../crds/training-run.ts'
import type { CachedKind } from '../../operator/cache/cache.ts'
import { defineController, type Controller } from '../../operator/control/controller.ts'
import { awaitedRun, modelPermissions, serverTypes } from '../generation/watched.ts'
import { ConfigMapType, JobType, PodType } from '../shared/kinds.ts'
import { CHILDREN_SELECTOR, ownerOf } from '../shared/labels.ts'
import type { RbacRule } from '../shared/permissions.ts'
import { wakes, WAITING_FOR } from '../shared/references.ts'
import { observe, type Sources } from './observe.ts'
import { plan } from './plan.ts'

export const PREFERENCE_GEN_CONTROLLER = 'preference-gen'

export function preferenceGenController(sources: Sources): Controller {
  return defineController({
    name: PREFERENCE_GEN_CONTROLLER,
    type: PreferenceGenType,
    parse: parsePreferenceGen,
    owns: [JobType, ConfigMapType, SWEBenchEvalType, ...serverTypes],
    // Pods belong to Jobs and ReplicaSets; the label leads further.
    watches: [{ type: PodType, labelSelector: CHILDREN_SELECTOR, keys: ownerOf('PreferenceGen') }, wakes(TrainingRunType, PreferenceGenType)],
    observe: (generation, context) => observe(generation, context, sources),
    plan,
    permissions: preferenceGenPermissions,
  })
}

/** The least the controller can work with; nothing of it reaches Secrets, logs or exec. */
export const preferenceGenPermissions: readonly RbacRule[] = [
  { scope: 'Cluster', apiGroups: ['swe-operator.dev'], resources: ['preferencegens'], verbs: ['get', 'list', 'watch'] },
  { scope: 'Cluster', apiGroups: ['swe-operator.dev'], resources: ['preferencegens/status'], verbs: ['patch'] },
  // Where OwnerReferencesPermissionEnforcement is on, blockOwnerDeletion takes this.
  { scope: 'Cluster', apiGroups: ['swe-operator.dev'], resources: ['preferencegens/finalizers'], verbs: ['update'] },
  { scope: 'Cluster', apiGroups: ['swe-operator.dev'], resources: ['swebenchevals'], verbs: ['get', 'list', 'watch', 'create', 'patch'] },
  { scope: 'Cluster', apiGroups: ['batch'], resources: ['jobs'], verbs: ['get', 'list', 'watch', 'create', 'delete'] },
  { scope: 'Cluster', apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
  { scope: 'Cluster', apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
  ...modelPermissions,
  { scope: 'Cluster', apiGroups: [''], resources: ['events'], verbs: ['list'] },
]

export const preferenceGenKinds: readonly CachedKind[] = [{ type: PreferenceGenType, indexes: { [WAITING_FOR]: awaitedRun } }]
