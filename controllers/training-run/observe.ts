import type { WarningReader } from '../jobs/warnings.ts'
import { hasStarted, troubleOf } from '../jobs/trouble.ts'
import { secondsLeft } from '../jobs/backoff.ts'
import { type Child, type Children, isLive, newestPod } from '../jobs/children.ts'
import type { TrainingRun, TrainingRunProgress } from '../../crds/training-run.ts'
import type { Cache } from '../../operator/cache/cache.ts'
import type { ReconcileContext } from '../../operator/control/controller.ts'
import { labelValue } from '../../operator/meta/names.ts'
import { ConfigMapType, JobType, PodType, type Pod } from '../shared/kinds.ts'
import { UID } from '../shared/labels.ts'
import { attemptsOf, preparationsOf } from './children.ts'
import { isFinished, isGoing, type Observed } from './observed.ts'
import type { Pace } from './pace.ts'
import { isQueued, lookAtQueue, withPools } from './queue/look.ts'
import type { NodeReader } from './queue/nodes.ts'
import type { QueueReader } from './queue/workload.ts'
import { resolve } from './resolve.ts'
import { inputsName } from './resources/config-map.ts'
import type { Settings } from './settings.ts'
import { consult, type VerdictStore } from './verdict-store.ts'

/** What training pods reported since this process started: the newest report of each run. */
export type ProgressBook = Readonly<{ of(uid: string): TrainingRunProgress | undefined; paceOf(uid: string): Pace | undefined }>

export type Sources = Readonly<{ settings: Settings; store: VerdictStore; progress: ProgressBook; warnings: WarningReader; queue: QueueReader; nodes: NodeReader }>

/** Index of the pod cache: all pods of the runs of one name, under `podsKey`. */
export const PODS_BY_RUN = 'trainingRun'

const PATIENCE_SECONDS = 10 // most pods start sooner; before that no event is worth a request

/** Everything the plan needs to know; the only place that reads. Fails only where the operator itself is at fault. */
export async function observe(run: TrainingRun, { cache, world, signal }: ReconcileContext, sources: Sources): Promise<Observed> {
  const { uid = '', namespace = '' } = run.metadata
  const pods = podsOf(cache, namespace, run.metadata.name)
  const children: Children = { jobs: cache.of(JobType).by('owner', uid), pods: pods.filter((pod) => pod.metadata.labels?.[UID] === uid) }
  const attempts = await withPools(attemptsOf(run, children), sources.nodes, sources.settings.pools)
  const preparations = preparationsOf(children)
  const now = world.now()
  const inputs = cache.of(ConfigMapType).get({ namespace, name: inputsName(run) })
  const caBundle = sources.settings.caBundle()
  const progress = sources.progress.of(uid)
  const pace = sources.progress.paceOf(uid)
  const isOver = isFinished(run) || isGoing(run)
  const warning = isOver ? undefined : await warningFor([...preparations, ...attempts].findLast(isLive), now, sources.warnings)
  const queue = isOver ? undefined : await lookAtQueue([...preparations, ...attempts], sources.queue)
  return {
    run,
    now,
    settings: sources.settings,
    resolved: resolve(run, sources.settings),
    strays: pods.filter((pod) => pod.metadata.labels?.[UID] !== uid),
    ...(inputs === undefined ? {} : { inputs }),
    ...(caBundle === undefined ? {} : { caBundle }),
    ...(progress === undefined || progress.attempt !== attempts.at(-1)?.number ? {} : { progress }),
    ...(pace === undefined || pace.attempt !== attempts.at(-1)?.number ? {} : { pace }),
    ...(warning === undefined ? {} : { warning }),
    ...(queue === undefined ? {} : { queue }),
    ...(await consult(run, { attempts, preparations }, sources.store, signal)),
  }
}

/** All pods that ever belonged to a run of this name, whoever owns them now. */
export function podsOf(cache: Cache, namespace: string, name: string): readonly Pod[] {
  return cache.of(PodType).by(PODS_BY_RUN, podsKey(namespace, labelValue(name)))
}

export function podsKey(namespace: string, label: string): string {
  return `${namespace}/${label}`
}

/** Kubernetes says in events alone why a Job gets no pod or a pod cannot mount what it names. */
async function warningFor(child: Child | undefined, now: Date, warnings: WarningReader): Promise<string | undefined> {
  if (!child || isQueued(child) || hasStarted(child) || troubleOf(child, undefined)) return undefined
  const waiting = newestPod(child) ?? child.job
  const isEarly = secondsLeft(waiting?.metadata.creationTimestamp, PATIENCE_SECONDS, now) > 0
  return waiting === undefined || isEarly ? undefined : warnings.latest(waiting)
}
