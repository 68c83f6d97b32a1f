import { parseSWEBenchEval, SWEBenchEvalType } from '../../crds/swebench-eval.ts'
import { TrainingRunType } from '../../crds/training-run.ts'
import type { CachedKind } from '../../operator/cache/cache.ts'
import { defineController, type Controller } from '../../operator/control/controller.ts'
import { awaitedRun, modelPermissions, serverTypes, wokenByServer } from '../generation/watched.ts'
import { ConfigMapType, JobType, NetworkPolicyType } from '../shared/kinds.ts'
import { CHILDREN_SELECTOR } from '../shared/labels.ts'
import type { RbacRule } from '../shared/permissions.ts'
import { wakes, WAITING_FOR } from '../shared/references.ts'
import { observe, type Sources } from './observe.ts'
import { awaitedOpponents } from './opponents.ts'
import { plan } from './plan.ts'

export const SWEBENCH_EVAL_CONTROLLER = 'swebench-eval'

/** Reconciles SWEBenchEvals, but for their sandboxes: those are driven by `gradings`, while the state is Running. */
export function sweBenchEvalController(sources: Sources): Controller {
  return defineController({
    name: SWEBENCH_EVAL_CONTROLLER,
    type: SWEBenchEvalType,
    parse: parseSWEBenchEval,
    owns: [JobType, ConfigMapType, ...serverTypes],
    watches: [wokenByServer('SWEBenchEval'), wakes(TrainingRunType, SWEBenchEvalType)],
    observe: (evaluation, context) => observe(evaluation, context, sources),
    plan,
    permissions: sweBenchEvalPermissions,
  })
}

/** The least the controller and its fan-outs can work with; nothing of it reaches Secrets, logs or exec. */
export const sweBenchEvalPermissions: readonly RbacRule[] = [
  { scope: 'Cluster', apiGroups: ['swe-operator.dev'], resources: ['swebenchevals'], verbs: ['get', 'list', 'watch'] },
  { scope: 'Cluster', apiGroups: ['swe-operator.dev'], resources: ['swebenchevals/status'], verbs: ['patch'] },
  // Where OwnerReferencesPermissionEnforcement is on, blockOwnerDeletion takes this.
  { scope: 'Cluster', apiGroups: ['swe-operator.dev'], resources: ['swebenchevals/finalizers'], verbs: ['update'] },
  { scope: 'Cluster', apiGroups: ['batch'], resources: ['jobs'], verbs: ['get', 'list', 'watch', 'create', 'delete'] },
  { scope: 'Cluster', apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch', 'create', 'delete'] },
  { scope: 'Cluster', apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
  { scope: 'Cluster', apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
  ...modelPermissions,
  { scope: 'Cluster', apiGroups: [''], resources: ['events'], verbs: ['list'] },
]

export const sweBenchEvalKinds: readonly CachedKind[] = [{ type: SWEBenchEvalType, indexes: { [WAITING_FOR]: (evaluation) => [...awaitedRun(evaluation), ...awaitedOpponents(evaluation)] } }, { type: NetworkPolicyType, labelSelector: CHILDREN_SELECTOR }]
