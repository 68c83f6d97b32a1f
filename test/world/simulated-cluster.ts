// A cluster in memory: just enough of the API server, job controller, kubelet, garbage collector and store for one run.
import { preferenceGenKinds } from '../../controllers/preference-gen/controller.ts'
import { queueOf } from '../../controllers/jobs/queue-labels.ts'
import type { TrainingRun, TrainingRunStatus } from '../../crds/training-run.ts'
import { keyOf, kindKey, type KubeObject, type ObjectKey, type ResourceType } from '../../operator/api/object.ts'
import type { Cache, Reader } from '../../operator/cache/cache.ts'
import type { Write } from '../../operator/control/plan.ts'
import { hasFinalizer } from '../../operator/meta/finalizer.ts'
import { controllerOf } from '../../operator/meta/owner.ts'
import { toSeconds } from '../../operator/meta/time.ts'
import { finishOf, isTerminal, type DesiredJob, type Job, type Pod } from '../../controllers/shared/kinds.ts'
import { JOB_TRACKING_FINALIZER } from '../../controllers/shared/labels.ts'
import { sweBenchEvalKinds } from '../../controllers/swebench-eval/controller.ts'
import { trainingRunKinds } from '../../controllers/training-run/controller.ts'
import { NOON } from './training-run.ts'

const CACHED = [...trainingRunKinds, ...preferenceGenKinds, ...sweBenchEvalKinds]

/** Moves only by the methods below; every object is plain JSON, as the API server would return it. */
export class SimulatedCluster {
  seconds = 0
  run: TrainingRun | undefined
  #objects = new Map<string, KubeObject>()
  #ids = 0

  constructor(run: TrainingRun) {
    this.run = run
  }

  now(): Date {
    return new Date(NOON.getTime() + this.seconds * 1000)
  }

  jobs(): readonly (Job & Partial<DesiredJob>)[] {
    return this.#all<Job & Partial<DesiredJob>>('Job')
  }

  pods(): readonly Pod[] {
    return this.#all<Pod>('Pod')
  }

  /** Everything but the run. */
  children(): readonly KubeObject[] {
    return [...this.#objects.values()]
  }

  /** What the operator's caches show: the truth, as its writes gate its reads. */
  cache(): Pick<Cache, 'of'> {
    return { of: <T extends KubeObject>(type: ResourceType<T>) => this.#reader<T>(type) }
  }

  write(write: Write): void {
    switch (write.op) {
      case 'create':
        if (!this.#objects.has(idOf(write.object))) this.#put(this.#born(write.object))
        return
      case 'apply':
        return this.#put({ ...this.#born(write.object), ...this.#objects.get(idOf(write.object)), ...write.object })
      case 'remove':
        return this.#remove(idOf(write.ref))
      case 'release':
        return this.#release(idOf(write.ref), write.finalizer)
    }
  }

  writeStatus(status: TrainingRunStatus): void {
    if (this.run) this.run = { ...this.run, status }
  }

  setSuspend(suspend: boolean): void {
    if (!this.run || (this.run.spec.suspend ?? false) === suspend) return
    const { metadata, spec } = this.run
    this.run = { ...this.run, metadata: { ...metadata, generation: (metadata.generation ?? 0) + 1 }, spec: { ...spec, suspend } }
  }

  setBudget(budget: TrainingRun['spec']['budget']): void {
    if (!this.run) return
    const { metadata, spec: { budget: _, ...spec } } = this.run
    this.run = { ...this.run, metadata: { ...metadata, generation: (metadata.generation ?? 0) + 1 }, spec: { ...spec, ...(budget === undefined ? {} : { budget }) } }
  }

  update(pod: Pod, status: Pod['status'], nodeName = pod.spec?.nodeName): void {
    const next: Pod = { ...pod, spec: nodeName === undefined ? {} : { nodeName }, status: { ...pod.status, ...status } }
    this.#put(next)
    this.#sweep()
  }

  remove(object: KubeObject): void {
    this.#remove(idOf(object))
  }

  /** One pod for each Job that never had one; Jobs finish when theirs has, or is gone. */
  runJobController(): void {
    for (const job of this.jobs()) {
      if (finishOf(job) || job.metadata.deletionTimestamp !== undefined) continue
      if (queueOf(job) !== undefined) {
        this.#controlQueued(job)
        continue
      }
      const pod = this.pods().find((one) => controllerOf(one)?.uid === job.metadata.uid)
      const hadPod = job.status?.startTime !== undefined
      if (!pod && !hadPod) this.#createPod(job)
      if (pod ? isTerminal(pod) : hadPod) this.#finish(job, pod?.status?.phase === 'Succeeded' ? 'Complete' : 'Failed')
    }
  }

  /** Lets the Jobs of a queue run, or sends them back. */
  suspendQueued(suspend: boolean): void {
    for (const job of this.jobs()) {
      if (queueOf(job) === undefined || finishOf(job) || job.spec === undefined) continue
      const { startTime, ...status } = job.status ?? {}
      const next: Job = { ...job, spec: { ...job.spec, suspend }, status: suspend || startTime === undefined ? status : { ...status, startTime } }
      this.#put(next)
    }
  }

  /** Children follow their owners. */
  collectGarbage(): void {
    for (const object of this.children()) {
      const owner = controllerOf(object)
      const owners = [this.run, ...this.children()].map((one) => one?.metadata.uid)
      if (owner && !owners.includes(owner.uid)) this.remove(object)
    }
  }

  /** What it deletes for a suspension it no longer counts, and it makes no second pod beside one that still ends. */
  #controlQueued(job: Job & Partial<DesiredJob>): void {
    const pods = this.pods().filter((pod) => controllerOf(pod)?.uid === job.metadata.uid)
    const counted = pods.find((pod) => isTerminal(pod) && hasFinalizer(pod, JOB_TRACKING_FINALIZER))
    if (counted) return this.#finish(job, counted.status?.phase === 'Succeeded' ? 'Complete' : 'Failed')
    const present = pods.filter((pod) => !isTerminal(pod))
    if (job.spec?.suspend !== true && present.length === 0) return this.#createPod(job, [JOB_TRACKING_FINALIZER])
    if (job.spec?.suspend !== true) return
    for (const pod of present.filter(({ metadata }) => metadata.deletionTimestamp === undefined)) {
      this.#release(idOf(pod), JOB_TRACKING_FINALIZER)
      this.#remove(idOf(pod))
    }
  }

  #createPod(job: Job & Partial<DesiredJob>, tracking: readonly string[] = []): void {
    const { labels = {}, finalizers: own = [] } = job.spec?.template.metadata ?? {}
    const finalizers = [...own, ...tracking]
    const name = `${job.metadata.name}-${this.#nextId()}`
    const owner = { apiVersion: 'batch/v1', kind: 'Job', name: job.metadata.name, uid: job.metadata.uid ?? '', controller: true }
    const metadata = { name, namespace: job.metadata.namespace ?? '', labels, finalizers, ownerReferences: [owner] }
    const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: {}, status: { phase: 'Pending' } }
    this.#putJob(job, { startTime: toSeconds(this.now()) })
    this.#put(this.#born(pod))
  }

  #finish(job: Job, type: 'Complete' | 'Failed'): void {
    const condition = { type, status: 'True', reason: type === 'Complete' ? 'CompletionsReached' : 'PodFailurePolicy', lastTransitionTime: toSeconds(this.now()) }
    this.#putJob(job, { conditions: [condition] })
  }

  #putJob(job: Job, status: Job['status']): void {
    const next: Job = { ...job, status: { ...job.status, ...status } }
    this.#put(next)
  }

  #remove(id: string): void {
    const object = this.#objects.get(id)
    if (!object) return
    this.#put({ ...object, metadata: { ...object.metadata, deletionTimestamp: object.metadata.deletionTimestamp ?? toSeconds(this.now()) } })
    this.#sweep()
  }

  #release(id: string, finalizer: string): void {
    const object = this.#objects.get(id)
    if (!object) return
    const finalizers = (object.metadata.finalizers ?? []).filter((one) => one !== finalizer)
    this.#put({ ...object, metadata: { ...object.metadata, finalizers } })
    this.#sweep()
  }

  /** What is being deleted goes once nothing holds it: a finalizer, or a program that still runs. */
  #sweep(): void {
    for (const [id, object] of this.#objects) {
      const isHeld = this.#finalizersOf(object).length > 0 || (isPod(object) && !isTerminal(object))
      if (object.metadata.deletionTimestamp !== undefined && !isHeld) this.#objects.delete(id)
    }
  }

  /** The job controller lets go of the pods of a Job that is over or gone. */
  #finalizersOf(object: KubeObject): readonly string[] {
    const job = this.jobs().find(({ metadata }) => metadata.uid === controllerOf(object)?.uid)
    const isTracked = job !== undefined && finishOf(job) === undefined && job.metadata.deletionTimestamp === undefined
    return (object.metadata.finalizers ?? []).filter((one) => isTracked || one !== JOB_TRACKING_FINALIZER)
  }

  #born<T extends KubeObject>(object: T): T {
    return { ...object, metadata: { ...object.metadata, uid: `uid-${this.#nextId()}`, creationTimestamp: toSeconds(this.now()) } }
  }

  #put(object: KubeObject): void {
    this.#objects.set(idOf(object), object)
  }

  #nextId(): string {
    return String((this.#ids += 1)).padStart(5, '0')
  }

  #all<T extends KubeObject>(kind: string): readonly T[] {
    return this.children().filter((object): object is T => object.kind === kind)
  }

  #reader<T extends KubeObject>(type: ResourceType<T>): Reader<T> {
    const all = this.#all<T>(type.kind)
    return {
      get: (key: ObjectKey) => all.find(({ metadata }) => keyOf(metadata) === keyOf(key)),
      list: () => all,
      by: (index, value) => all.filter((object) => indexValues(index, object).includes(value)),
      synced: () => true,
      staleSeconds: () => 0,
    }
  }
}

function isPod(object: KubeObject): object is Pod {
  return object.kind === 'Pod'
}

function indexValues(index: string, object: KubeObject): readonly (string | undefined)[] {
  if (index === 'owner') return [controllerOf(object)?.uid]
  return CACHED.find(({ type }) => type.kind === object.kind)?.indexes?.[index]?.(object) ?? []
}

function idOf(object: Readonly<{ apiVersion: string; kind: string; namespace?: string; name?: string; metadata?: KubeObject['metadata'] }>): string {
  return `${kindKey(object)} ${object.metadata?.name ?? object.name}`
}
