import { PreferenceGenType } from '../../crds/preference-gen.ts'
import { SWEBenchEvalType } from '../../crds/swebench-eval.ts'
import { parseTrainingRun, TrainingRunType } from '../../crds/training-run.ts'
import type { KubeObject } from '../../operator/api/object.ts'
import type { CachedKind } from '../../operator/cache/cache.ts'
import { defineController, type Controller } from '../../operator/control/controller.ts'
import { projectPod, trimPod } from '../shared/cached-pods.ts'
import { ConfigMapType, JobType, PodType } from '../shared/kinds.ts'
import { CHILDREN_SELECTOR, ownerOf, PODS_BY_UID, uidOf } from '../shared/labels.ts'
import type { RbacRule } from '../shared/permissions.ts'
import { wakes, WAITING_FOR } from '../shared/references.ts'
import { observe, PODS_BY_RUN, podsKey, podsOf, type Sources } from './observe.ts'
import { plan, releaseAll } from './plan.ts'
import { awaitedByRun } from './references.ts'

export const TRAINING_RUN_CONTROLLER = 'training-run'

/** Reconciles TrainingRuns. The caches must hold `trainingRunKinds`. */
export function trainingRunController(sources: Sources): Controller {
  return defineController({
    name: TRAINING_RUN_CONTROLLER,
    type: TrainingRunType,
    parse: parseTrainingRun,
    owns: [JobType, ConfigMapType, SWEBenchEvalType],
    // Pods belong to their Jobs; the label leads to the run even when both are gone.
    watches: [{ type: PodType, labelSelector: CHILDREN_SELECTOR, keys: runOf }, wakes(TrainingRunType, TrainingRunType), wakes(PreferenceGenType, TrainingRunType), wakes(SWEBenchEvalType, TrainingRunType)],
    observe: (run, context) => observe(run, context, sources),
    plan,
    absent: async ({ namespace = '', name }, { cache }) => releaseAll(podsOf(cache, namespace, name)),
    permissions: trainingRunPermissions,
  })
}

/** The least the controller can work with; nothing of it reaches Secrets, logs or exec. */
export const trainingRunPermissions: readonly RbacRule[] = [
  { scope: 'Cluster', apiGroups: ['swe-operator.dev'], resources: ['trainingruns', 'preferencegens', 'swebenchevals'], verbs: ['get', 'list', 'watch'] },
  { scope: 'Cluster', apiGroups: ['swe-operator.dev'], resources: ['trainingruns/status'], verbs: ['patch'] },
  // Where OwnerReferencesPermissionEnforcement is on, blockOwnerDeletion takes this.
  { scope: 'Cluster', apiGroups: ['swe-operator.dev'], resources: ['trainingruns/finalizers'], verbs: ['update'] },
  // The evaluation of its gate.
  { scope: 'Cluster', apiGroups: ['swe-operator.dev'], resources: ['swebenchevals'], verbs: ['create', 'patch'] },
  { scope: 'Cluster', apiGroups: ['batch'], resources: ['jobs'], verbs: ['get', 'list', 'watch', 'create', 'delete'] },
  { scope: 'Cluster', apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch', 'patch'] },
  { scope: 'Cluster', apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
  { scope: 'Cluster', apiGroups: [''], resources: ['events'], verbs: ['list'] },
  // Why a queue lets a Job wait, and what the node costs that it chose.
  { scope: 'Cluster', apiGroups: ['kueue.x-k8s.io'], resources: ['workloads'], verbs: ['list'] },
  { scope: 'Cluster', apiGroups: [''], resources: ['nodes'], verbs: ['get'] },
]

/** What has to be cached: children alone, and of pods and Jobs only what is read. */
export const trainingRunKinds: readonly CachedKind[] = [
  { type: TrainingRunType, indexes: { [WAITING_FOR]: awaitedByRun } },
  { type: ConfigMapType, labelSelector: CHILDREN_SELECTOR },
  { type: JobType, labelSelector: CHILDREN_SELECTOR, project: projectJob },
  { type: PodType, labelSelector: CHILDREN_SELECTOR, trim: trimPod, project: projectPod, indexes: { [PODS_BY_UID]: uidOf, [PODS_BY_RUN]: (pod) => runOf(pod).map(({ namespace = '', name }) => podsKey(namespace, name)) } },
]

const runOf = ownerOf('TrainingRun')

type Cached = KubeObject & Readonly<{ spec?: Readonly<{ suspend?: boolean }>; status?: unknown }>

function projectJob({ apiVersion, kind, metadata, spec, status }: Cached): Cached {
  return { apiVersion, kind, metadata, spec: spec?.suspend === undefined ? {} : { suspend: spec.suspend }, status }
}
