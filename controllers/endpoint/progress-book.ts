import type { TrainingRunProgress } from '../../crds/training-run.ts'
import type { World } from '../../operator/world.ts'
import type { OwnerKind } from '../shared/labels.ts'
import type { Pace } from '../training-run/pace.ts'
import type { Report } from './report.ts'

/** The latest progress of each owner whose pods report, in memory: a restarted operator hears it again within seconds. */
export type ProgressBook = Readonly<{
  /** Takes a report of an attempt; one of an attempt older than the latest is ignored. */
  record(run: ReportingRun, attempt: number, report: Report): void
  of(uid: string): TrainingRunProgress | undefined
  /** Of the attempt that reported last; undefined until its second report of a step. */
  paceOf(uid: string): Pace | undefined
}>

/** A run whose pods train, or another owner whose pods ask a model: there a step is a sample. */
export type ReportingRun = Readonly<{ kind: OwnerKind; namespace: string; name: string; uid: string }>

export type ProgressBookDeps = Readonly<{
  world: World
  /** Asks for a reconcile of the run after so many milliseconds. */
  enqueue(run: ReportingRun, afterMs: number): void
  /** Whether the run still exists; entries of others are dropped. */
  exists(run: ReportingRun): boolean
  /** Told how many new steps a report brought. */
  advanced?(run: ReportingRun, steps: number): void
}>

const NOTIFY_EVERY_MS = 5_000 // one status write per run and 5 s is what the API server is asked to take
const MAX_PERCENT = 99 // 100 is the verdict's to say: a preempted trainer claims it too
const MAX_RUNS = 10_000
const PACE_INTERVALS = 31 // enough for a median, and 2.5 MB for as many runs as the book holds

type Entry = {
  run: ReportingRun
  progress: TrainingRunProgress
  /** The first report of this attempt that named a step: the pace is measured from here, not from a resumed run's step 0. */
  since: Moment | undefined
  /** The newest report of this attempt that brought a step. */
  advanced: Moment | undefined
  /** The newest intervals between two such reports, in seconds per step. */
  intervals: readonly number[]
  notifyAtMs: number
}

type Moment = Readonly<{ step: number; atMs: number }>

export function createProgressBook(deps: ProgressBookDeps): ProgressBook {
  const { world } = deps
  const entries = new Map<string, Entry>()

  function record(run: ReportingRun, attempt: number, report: Report): void {
    const known = entries.get(run.uid)
    if (known && attempt < known.progress.attempt) return
    const previous = known?.progress.attempt === attempt ? known : undefined
    if (previous === undefined && report.step === undefined && attempt > 1) return // it resumes somewhere, and does not say where yet
    const moment = momentOf(report, world.monotonicMs())
    const since = previous?.since ?? moment
    const progress = advance(previous, { attempt, report, since, world })
    if (known === undefined) makeRoom()
    entries.set(run.uid, { run, progress, since, ...keepPace(previous, moment), notifyAtMs: notify(run, known?.notifyAtMs) })
    deps.advanced?.(run, Math.max(0, progress.step - (previous?.progress.step ?? progress.step)))
  }

  /** At once if the last time is long enough ago, else when it will be; a wake-up that is already due covers this report too. */
  function notify(run: ReportingRun, lastMs: number | undefined): number {
    const nowMs = world.monotonicMs()
    if (lastMs !== undefined && lastMs > nowMs) return lastMs
    const dueMs = Math.max(nowMs, (lastMs ?? Number.NEGATIVE_INFINITY) + NOTIFY_EVERY_MS)
    deps.enqueue(run, dueMs - nowMs)
    return dueMs
  }

  function makeRoom(): void {
    for (const [uid, { run }] of entries) if (!deps.exists(run)) entries.delete(uid)
    const oldest = entries.size >= MAX_RUNS ? entries.keys().next().value : undefined
    if (oldest !== undefined) entries.delete(oldest)
  }

  return { record, of: (uid) => entries.get(uid)?.progress, paceOf: (uid) => paceOf(entries.get(uid)) }
}

type Advance = Readonly<{ attempt: number; report: Report; since: Entry['since']; world: World }>

function advance(previous: Entry | undefined, { attempt, report, since, world }: Advance): TrainingRunProgress {
  const before = previous?.progress
  const step = Math.max(report.step ?? 0, before?.step ?? 0)
  const totalSteps = report.totalSteps ?? before?.totalSteps
  const counted = totalSteps === undefined ? (report.percent ?? 0) : Math.floor((100 * step) / totalSteps)
  const etaSeconds = eta(since, step, totalSteps, world.monotonicMs())
  const metrics = report.metrics.length > 0 ? report.metrics : before?.metrics
  return {
    attempt,
    step,
    ...(totalSteps === undefined ? {} : { totalSteps }),
    percent: Math.max(Math.min(counted, MAX_PERCENT), before?.percent ?? 0),
    ...(etaSeconds === undefined ? {} : { etaSeconds }),
    updatedTime: world.now().toISOString(),
    ...(metrics === undefined ? {} : { metrics }),
  }
}

function momentOf({ step }: Report, atMs: number): Moment | undefined {
  return step === undefined ? undefined : { step, atMs }
}

function keepPace(previous: Entry | undefined, now: Moment | undefined): Pick<Entry, 'advanced' | 'intervals'> {
  const { advanced, intervals = [] } = previous ?? {}
  if (now === undefined || (advanced !== undefined && now.step <= advanced.step)) return { advanced, intervals }
  if (advanced === undefined) return { advanced: now, intervals }
  const secondsPerStep = (now.atMs - advanced.atMs) / 1000 / (now.step - advanced.step)
  return { advanced: now, intervals: [...intervals, secondsPerStep].slice(-PACE_INTERVALS) }
}

function paceOf(entry: Entry | undefined): Pace | undefined {
  const { progress, intervals = [] } = entry ?? {}
  const secondsPerStep = intervals.toSorted((one, other) => one - other)[Math.floor(intervals.length / 2)]
  return progress === undefined || secondsPerStep === undefined ? undefined : { attempt: progress.attempt, secondsPerStep, intervals: intervals.length }
}

function eta(since: Moment | undefined, step: number, totalSteps: number | undefined, nowMs: number): number | undefined {
  if (since === undefined || totalSteps === undefined || step <= since.step) return undefined
  const msPerStep = (nowMs - since.atMs) / (step - since.step)
  return Math.max(0, Math.round((msPerStep * (totalSteps - step)) / 1000))
}
