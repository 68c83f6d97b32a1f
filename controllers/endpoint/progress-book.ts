import type { TrainingRunProgress } from '../../crds/training-run.ts'
import type { ObjectKey } from '../../operator/api/object.ts'
import type { World } from '../../operator/world.ts'
import type { Report } from './report.ts'

/** The latest progress of each run, in memory: a restarted operator hears it again within seconds. */
export type ProgressBook = Readonly<{
  /** Takes a report of an attempt; one of an attempt older than the latest is ignored. */
  record(run: ReportingRun, attempt: number, report: Report): void
  of(uid: string): TrainingRunProgress | undefined
}>

export type ReportingRun = Readonly<{ namespace: string; name: string; uid: string }>

export type ProgressBookDeps = Readonly<{
  world: World
  /** Asks for a reconcile of the run after so many milliseconds. */
  enqueue(key: ObjectKey, afterMs: number): void
  /** Whether the run still exists; entries of others are dropped. */
  exists(run: ReportingRun): boolean
  /** Told how many new steps a report brought. */
  advanced?(steps: number): void
}>

const NOTIFY_EVERY_MS = 5_000 // one status write per run and 5 s is what the API server is asked to take
const MAX_PERCENT = 99 // 100 is the verdict's to say: a preempted trainer claims it too
const MAX_RUNS = 10_000

type Entry = {
  run: ReportingRun
  progress: TrainingRunProgress
  /** The first report of this attempt that named a step: the pace is measured from here, not from a resumed run's step 0. */
  since: Readonly<{ step: number; atMs: number }> | undefined
  notifyAtMs: number
}

export function createProgressBook(deps: ProgressBookDeps): ProgressBook {
  const { world } = deps
  const entries = new Map<string, Entry>()

  function record(run: ReportingRun, attempt: number, report: Report): void {
    const known = entries.get(run.uid)
    if (known && attempt < known.progress.attempt) return
    const previous = known?.progress.attempt === attempt ? known : undefined
    if (previous === undefined && report.step === undefined && attempt > 1) return // it resumes somewhere, and does not say where yet
    const since = previous?.since ?? sinceOf(report, world.monotonicMs())
    const progress = advance(previous, { attempt, report, since, world })
    if (known === undefined) makeRoom()
    entries.set(run.uid, { run, progress, since, notifyAtMs: notify(run, known?.notifyAtMs) })
    deps.advanced?.(Math.max(0, progress.step - (previous?.progress.step ?? progress.step)))
  }

  /** At once if the last time is long enough ago, else when it will be; a wake-up that is already due covers this report too. */
  function notify({ namespace, name }: ReportingRun, lastMs: number | undefined): number {
    const nowMs = world.monotonicMs()
    if (lastMs !== undefined && lastMs > nowMs) return lastMs
    const dueMs = Math.max(nowMs, (lastMs ?? Number.NEGATIVE_INFINITY) + NOTIFY_EVERY_MS)
    deps.enqueue({ namespace, name }, dueMs - nowMs)
    return dueMs
  }

  function makeRoom(): void {
    for (const [uid, { run }] of entries) if (!deps.exists(run)) entries.delete(uid)
    const oldest = entries.size >= MAX_RUNS ? entries.keys().next().value : undefined
    if (oldest !== undefined) entries.delete(oldest)
  }

  return { record, of: (uid) => entries.get(uid)?.progress }
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

function sinceOf({ step }: Report, atMs: number): Entry['since'] {
  return step === undefined ? undefined : { step, atMs }
}

function eta(since: Entry['since'], step: number, totalSteps: number | undefined, nowMs: number): number | undefined {
  if (since === undefined || totalSteps === undefined || step <= since.step) return undefined
  const msPerStep = (nowMs - since.atMs) / (step - since.step)
  return Math.max(0, Math.round((msPerStep * (totalSteps - step)) / 1000))
}
