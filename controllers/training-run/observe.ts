import { warningFor, type WarningReader } from '../jobs/warnings.ts'
import { type Children, isLive } from '../jobs/children.ts'
import { PreferenceGenType } from '../../crds/preference-gen.ts'
import { SWEBenchEvalType } from '../../crds/swebench-eval.ts'
import { TrainingRunType, type TrainingRun, type TrainingRunProgress } from '../../crds/training-run.ts'
import { refOf, type KubeObject, type ResourceType } from '../../operator/api/object.ts'
import type { Cache } from '../../operator/cache/cache.ts'
import type { ReconcileContext } from '../../operator/control/controller.ts'
import { labelValue } from '../../operator/meta/names.ts'
import { lookForCircle } from '../shared/circles.ts'
import { ConfigMapType, JobType, PodType, type Pod } from '../shared/kinds.ts'
import { UID } from '../shared/labels.ts'
import { isFinished, isGoing } from '../shared/lifecycle.ts'
import { attemptsOf, preparationsOf, publicationsOf } from './children.ts'
import { awaitedEvaluation } from './from-eval.ts'
import { awaitedPreferences } from './from-preferences.ts'
import { awaitedBy } from './from-run.ts'
import type { Observed } from './observed.ts'
import type { Pace } from './pace.ts'
import { isQueued, lookAtQueue, withPools } from './queue/look.ts'
import type { NodeReader } from './queue/nodes.ts'
import type { QueueReader } from './queue/workload.ts'
import { awaitedByRun } from './references.ts'
import { resolve } from './resolve.ts'
import { inputsName } from './resources/config-map.ts'
import { gateName } from './resources/gate-evaluation.ts'
import { publishInputsName } from './resources/publish-inputs.ts'
import type { Settings } from './settings.ts'
import { consult, type VerdictStore } from './verdict-store.ts'

/** What training pods reported since this process started: the newest report of each run. */
export type ProgressBook = Readonly<{ of(uid: string): TrainingRunProgress | undefined; paceOf(uid: string): Pace | undefined }>

export type Sources = Readonly<{ settings: Settings; store: VerdictStore; progress: ProgressBook; warnings: WarningReader; queue: QueueReader; nodes: NodeReader }>

/** Index of the pod cache: all pods of the runs of one name, under `podsKey`. */
export const PODS_BY_RUN = 'trainingRun'

/** Everything the plan needs to know; the only place that reads. Fails only where the operator itself is at fault. */
export async function observe(run: TrainingRun, { cache, world, signal }: ReconcileContext, sources: Sources): Promise<Observed> {
  const { uid = '', namespace = '' } = run.metadata
  const pods = podsOf(cache, namespace, run.metadata.name)
  const children: Children = { jobs: cache.of(JobType).by('owner', uid), pods: pods.filter((pod) => pod.metadata.labels?.[UID] === uid) }
  const attempts = await withPools(attemptsOf(run, children), sources.nodes, sources.settings.pools)
  const [preparations, publications] = [preparationsOf(children), publicationsOf(children)]
  const now = world.now()
  const caBundle = sources.settings.caBundle()
  const progress = sources.progress.of(uid)
  const pace = sources.progress.paceOf(uid)
  const isOver = isFinished(run) || isGoing(run)
  const live = [...preparations, ...attempts, ...publications].findLast(isLive)
  const warning = isOver || (live !== undefined && isQueued(live)) ? undefined : await warningFor(live, now, sources.warnings)
  const queue = isOver ? undefined : await lookAtQueue([...preparations, ...attempts], sources.queue)
  return {
    run,
    now,
    settings: sources.settings,
    resolved: resolve(run, sources.settings),
    leftovers: isFinished(run) ? [...children.jobs, ...cache.of(ConfigMapType).by('owner', uid)].map(refOf) : [],
    ...lookAround(run, cache),
    strays: pods.filter((pod) => pod.metadata.labels?.[UID] !== uid),
    ...(caBundle === undefined ? {} : { caBundle }),
    ...(progress === undefined || progress.attempt !== attempts.at(-1)?.number ? {} : { progress }),
    ...(pace === undefined || pace.attempt !== attempts.at(-1)?.number ? {} : { pace }),
    ...(warning === undefined ? {} : { warning }),
    ...(queue === undefined ? {} : { queue }),
    ...(await consult(run, { attempts, preparations, publications }, sources.store, signal)),
  }
}

/** All pods that ever belonged to a run of this name, whoever owns them now. */
export function podsOf(cache: Cache, namespace: string, name: string): readonly Pod[] {
  return cache.of(PodType).by(PODS_BY_RUN, podsKey(namespace, labelValue(name)))
}

export function podsKey(namespace: string, label: string): string {
  return `${namespace}/${label}`
}

type Around = Pick<Observed, 'inputs' | 'publishInputs' | 'referred' | 'referredPreferences' | 'referredEvaluation' | 'circle' | 'gateEvaluation' | 'gateBaseline'>

/** What the cache has of everything that the run names, or makes under a name of its own. */
function lookAround(run: TrainingRun, cache: Cache): Around {
  const { metadata: { namespace = '' }, spec: { gate } } = run
  const find = <T extends KubeObject>(type: ResourceType<T>, name: string | undefined): T | undefined => (name === undefined ? undefined : cache.of(type).get({ namespace, name }))
  return present({
    inputs: find(ConfigMapType, inputsName(run)),
    publishInputs: find(ConfigMapType, publishInputsName(run)),
    referred: find(TrainingRunType, awaitedBy(run)),
    referredPreferences: find(PreferenceGenType, awaitedPreferences(run)),
    referredEvaluation: find(SWEBenchEvalType, awaitedEvaluation(run)),
    circle: awaitedByRun(run).length > 0 ? lookForCircle(run, cache) : undefined,
    gateEvaluation: find(SWEBenchEvalType, gate && gateName(run)),
    gateBaseline: find(SWEBenchEvalType, gate?.noWorseThan?.name),
  })
}

function present<T extends object>(fields: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [Name in keyof T]?: Exclude<T[Name], undefined> }
}
