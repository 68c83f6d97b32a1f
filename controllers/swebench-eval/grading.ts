import type { SWEBenchEval } from '../../crds/swebench-eval.ts'
import type { Client } from '../../operator/api/resource.ts'
import type { Cache } from '../../operator/cache/cache.ts'
import { FanOut } from '../../operator/fan-out/fan-out.ts'
import type { Row, Task, Unit } from '../../operator/fan-out/task.ts'
import type { Log } from '../../operator/observe/log.ts'
import type { World } from '../../operator/world.ts'
import { ConfigMapType, PodType, type Pod } from '../shared/kinds.ts'
import { ATTEMPT } from '../shared/labels.ts'
import { admissionOf } from './admission.ts'
import { judge, judgeStored, type Bench } from './judgement.ts'
import type { GradingProgress } from './observed.ts'
import type { Registries } from './registries.ts'
import { resolve, windowOf } from './resolve.ts'
import { buildSandboxPod, PREDICTION } from './resources/sandbox-pod.ts'
import { createRowBook, type RowBook } from './row-book.ts'
import { inOrder, rowsIn } from './rows.ts'
import type { Sandbox } from './sandbox.ts'
import { purposeOf } from './second-looks.ts'
import type { Settings } from './settings.ts'
import { createSnapshot } from './snapshot.ts'
import { untriedOf } from './untried.ts'
import { instanceIn, type GradeVerdict, type Index } from './verdicts.ts'

/** What gradings need beside the evaluation. */
export type GradingParts = Readonly<{
  settings: Settings
  client: Pick<Client, 'get' | 'submit' | 'apply' | 'remove'>
  cache: Cache
  world: World
  log: Log
  capabilityOf(sandbox: Sandbox): string
  /** Of the endpoint's Service; undefined where sandboxes must find it by its name. May reject. */
  endpointAddress(): Promise<string | undefined>
  store: GradingStore
  /** One for all gradings: they pull from the same registries to the same nodes. */
  registries: Registries
  fieldManager: string
}>

/** What sandboxes and the preparation left in the store. Every call may reject. */
export type GradingStore = Readonly<{
  index(of: Readonly<{ namespace: string; uid: string }>, prefix: string): Promise<Index>
  verdict(of: Readonly<{ namespace: string; uid: string }>, unit: Unit): Promise<GradeVerdict | undefined>
  ended(of: Readonly<{ namespace: string; uid: string }>): Promise<readonly Unit[]>
}>

/** The sandboxes of one evaluation, driven by this process. */
export type Grading = Readonly<{
  /** As it was when rows were last recorded, or a moment ago. */
  progress(): GradingProgress
  isDone(): boolean
  resize(window: number): void
  stop(): Promise<void>
}>

/** Takes an evaluation up where rows, pods and store say it is. Rejects where the index cannot be read. */
export async function startGrading(evaluation: SWEBenchEval, parts: GradingParts, advanced: () => void): Promise<Grading> {
  const { namespace = '', name, uid = '' } = evaluation.metadata
  const index = await parts.store.index({ namespace, uid }, evaluation.status?.data?.prefix ?? '')
  const address = await parts.endpointAddress()
  const shards = inOrder(parts.cache.of(ConfigMapType).by('owner', uid))
  const recorded = rowsIn(shards)
  const rows = createRowBook(evaluation, parts, shards, recorded)
  const task = taskOf(evaluation, parts, { index, rows, recorded, title: `${namespace}/${name}`, ...(address === undefined ? {} : { address }) })
  const { client, cache, world, log } = parts
  const record = (batch: readonly Row[]): Promise<void> => {
    shown.take() // rows and progress come into the status together, or each would be a write of its own
    return task.record(batch)
  }
  const tell = (): void => {
    shown.take()
    advanced()
  }
  const fanOut = new FanOut({ task: { ...task, record }, podType: PodType, client, cache, world, log, window: windowOf(evaluation), advanced: tell })
  const instances = index.instances.map(({ id }) => id)
  const startedMs = world.monotonicMs()
  const done = new Set(recorded.filter(({ final }) => final).map(({ ordinal }) => ordinal))
  // What an earlier evaluation ran ends at once, and says nothing of the pace.
  const before = (): number => index.predictions.filter(({ cached }, ordinal) => done.has(ordinal) || (cached !== undefined && rows.of(ordinal).length > 0)).length
  const shown = createSnapshot(world, SHOWN_MS, () => {
    const progress = fanOut.progress()
    const blocked = progress.blocked ?? parts.registries.pauseOf(uid, progress.closedLanes ?? [])
    return { ...progress, ...paceOf(progress.settled - before(), world.monotonicMs() - startedMs), instances, ...(blocked === undefined ? {} : { blocked }) }
  })
  void fanOut.start(presentPods(cache, uid))
  return { progress: () => shown.last(), isDone: () => fanOut.progress().isDone, resize: (window) => fanOut.resize(window), stop: () => fanOut.stop() }
}

// Each change of it is a write of the status, whose echo shows the next change.
const SHOWN_MS = 2_000

const SHORTEST_PACE_MS = 10_000 // before that one slow image makes the estimate absurd

function paceOf(settled: number, ms: number): Readonly<{ perMinute?: number }> {
  return settled <= 0 || ms < SHORTEST_PACE_MS ? {} : { perMinute: (60_000 * settled) / ms }
}

function presentPods(cache: Cache, uid: string): readonly (readonly [Unit, Pod])[] {
  return cache.of(PodType).by('owner', uid).flatMap((pod) => {
    const [ordinal, attempt] = [Number(pod.metadata.labels?.[PREDICTION] ?? Number.NaN), Number(pod.metadata.labels?.[ATTEMPT])]
    return Number.isInteger(ordinal) && Number.isInteger(attempt) ? [[{ ordinal, attempt }, pod] as const] : []
  })
}

type TaskParts = Readonly<{ index: Index; rows: RowBook; recorded: readonly Row[]; title: string; address?: string }>

function taskOf(evaluation: SWEBenchEval, parts: GradingParts, { index, rows, recorded, title, address }: TaskParts): Task {
  const { namespace = '', name, uid = '' } = evaluation.metadata
  const { settings, world, store, capabilityOf } = parts
  const resolved = resolve(evaluation, settings)
  const knownFlaky = new Set(evaluation.spec.knownFlaky)
  const benchFor = (unit: Unit): Bench => ({ ...resolved, confirmResolved: evaluation.spec.confirmResolved === true, now: world.now(), earlier: rows.of(unit.ordinal), isKnownFlaky: knownFlaky.has(instanceIn(index, unit)?.id ?? '') })
  return {
    name: title,
    namespace,
    total: index.predictions.length,
    order: orderOf(index),
    ...untriedOf(index, rows, evaluation.spec.instances.quality ?? 'Any'),
    recorded: [...new Map(recorded.map((row) => [row.ordinal, row])).values()],
    ...(settings.imagePullPolicy === 'Never' ? {} : { admission: admissionOf(evaluation, parts.registries, index) }),
    podOf: (unit) => {
      const image = instanceIn(index, unit)?.image ?? ''
      const purpose = evaluation.spec.dryRun === true ? 'DryRun' : purposeOf(rows.of(unit.ordinal))
      return buildSandboxPod({ evaluation, resolved, settings, unit, purpose, image, capability: capabilityOf({ namespace, evaluation: name, uid, unit }), ...(address === undefined ? {} : { address }) })
    },
    judge: (unit, pod: Pod) => judge(unit, pod, benchFor(unit)),
    judgeVanished: async (unit) => judgeStored(unit, await store.verdict({ namespace, uid }, unit), benchFor(unit)),
    ended: () => store.ended({ namespace, uid }),
    record: (batch) => rows.add(batch),
  }
}

/** Each baseline just before the predictions of its instance: a node pulls an image once for all of them. */
function orderOf({ predictions }: Index): readonly number[] {
  return predictions.map(({ instance }, ordinal) => ({ instance, ordinal })).toSorted((one, other) => one.instance - other.instance).map(({ ordinal }) => ordinal)
}
