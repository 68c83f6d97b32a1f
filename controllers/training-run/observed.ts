import type { TrainingRun, TrainingRunAttempt, TrainingRunProgress } from '../../crds/training-run.ts'
import { conditionOf } from '../../operator/meta/conditions.ts'
import { toSeconds } from '../../operator/meta/time.ts'
import type { ConfigMap, Pod } from '../shared/kinds.ts'
import { containerEnd, endTimeOf, isBeforeAll, isLive, isRecorded, newestPod, type Attempt, type Preparation } from './children.ts'
import { outcomeOf, type Outcome } from './outcome.ts'
import type { Pace } from './pace.ts'
import type { Resolved } from './resolve.ts'
import type { Settings } from './settings.ts'
import type { PrepareVerdict, TrainVerdict } from './verdicts.ts'

/** Everything that is known about a run at one moment; the policies see nothing else. */
export type Observed = Readonly<{
  run: TrainingRun
  now: Date
  settings: Settings
  resolved: Resolved
  caBundle?: string
  /** As the cluster has them. */
  inputs?: ConfigMap
  /** Ascending by number, as are the attempts. */
  preparations: readonly Preparation[]
  attempts: readonly Attempt[]
  /** Pods of an earlier run of the same name, which wait for nobody but us. */
  strays: readonly Pod[]
  /** The data is ready, as its pod or the store says. */
  prepared?: PrepareVerdict
  /** The store's completion marker. */
  result?: TrainVerdict
  /** What a training pod reported last, if that was one of the newest attempt. */
  progress?: TrainingRunProgress
  /** How fast the newest attempt is, if it has reported often enough to tell. */
  pace?: Pace
  /** The newest complaint of Kubernetes about the pod that is on its way. */
  warning?: string
  /** Whether the store has told if the run was finished before, now or earlier. */
  consulted: boolean
  /** The store had to be asked and did not answer. */
  storeTrouble?: string
}>

const ATTEMPTS_SHOWN = 20 // the bound of the CRD

export function isPrepared({ run, prepared }: Pick<Observed, 'run' | 'prepared'>): boolean {
  return prepared !== undefined || conditionOf(run.status?.conditions, 'DataPrepared')?.status === 'True'
}

/** Whether it is known if the run was finished before: until then `Complete` is Unknown. */
export function isConsulted(run: TrainingRun): boolean {
  return (conditionOf(run.status?.conditions, 'Complete')?.status ?? 'Unknown') !== 'Unknown'
}

export function isFinished(run: TrainingRun): boolean {
  return (['Complete', 'Failed'] as const).some((type) => conditionOf(run.status?.conditions, type)?.status === 'True')
}

/** Whether the run is being deleted: then nothing is asked or started, only let go. */
export function isGoing({ metadata }: TrainingRun): boolean {
  return metadata.deletionTimestamp !== undefined
}

/** The table of attempts as the status should show it: what is recorded stays, what ended is added once it is known how. */
export function attemptTable(seen: Observed): readonly TrainingRunAttempt[] {
  return seen.attempts.filter(({ forgotten }) => !forgotten).map((attempt) => describeAttempt(seen, attempt)).slice(-ATTEMPTS_SHOWN)
}

/** How an attempt ended that is not recorded yet; undefined while it lives or nobody can tell. */
export function newOutcomeOf(attempt: Attempt): Outcome | undefined {
  return isRecorded(attempt) || isLive(attempt) || attempt.unread ? undefined : outcomeOf(attempt)
}

/** Whether nobody needs the pods of this attempt any more: its end is in the status as last read, or no longer matters. */
export function isSettled(run: TrainingRun, number: number): boolean {
  if (isFinished(run)) return true
  const records = run.status?.attempts ?? []
  const record = records.find((one) => one.number === number)
  return record === undefined ? isBeforeAll(records, number) : record.state !== 'Running'
}

function describeAttempt(seen: Observed, attempt: Attempt): TrainingRunAttempt {
  const { record, verdict } = attempt
  if (record && isRecorded(attempt)) return record
  const base = describeStart(seen, attempt)
  const outcome = newOutcomeOf(attempt)
  if (!outcome) return base
  const lastStep = verdict?.lastStep ?? lastReportedStep(seen, attempt.number)
  return {
    ...base,
    state: endState(seen, outcome),
    finishedTime: endTimeOf(attempt) ?? toSeconds(seen.now),
    reason: outcome.reason,
    message: outcome.message,
    ...(outcome.exitCode === undefined ? {} : { exitCode: outcome.exitCode }),
    ...(verdict?.fromStep === undefined ? {} : { fromStep: verdict.fromStep }),
    ...(lastStep === undefined ? {} : { lastStep }),
  }
}

function describeStart({ run, now }: Observed, attempt: Attempt): TrainingRunAttempt {
  const { number, record, job } = attempt
  const pod = newestPod(attempt)
  const podName = pod?.metadata.name ?? record?.pod
  const node = pod?.spec?.nodeName ?? record?.node
  return {
    number,
    job: job?.metadata.name ?? record?.job ?? `${run.metadata.name}-a${number}`,
    startedTime: record?.startedTime ?? job?.metadata.creationTimestamp ?? containerEnd(attempt)?.startedAt ?? toSeconds(now),
    state: 'Running',
    ...(podName === undefined ? {} : { pod: podName }),
    ...(node === undefined ? {} : { node }),
  }
}

function endState({ run }: Observed, { reason, retry }: Outcome): TrainingRunAttempt['state'] {
  if (reason === 'Completed') return 'Completed'
  if (retry !== 'Always') return 'Failed'
  return run.spec.suspend === true || run.status?.state === 'Suspending' ? 'Suspended' : 'Preempted'
}

/** Where a pod left no verdict, what it reported last is the best that is known. */
function lastReportedStep({ run, progress }: Observed, number: number): number | undefined {
  const steps = [progress, run.status?.progress].flatMap((report) => (report?.attempt === number ? [report.step] : []))
  return steps.length === 0 ? undefined : Math.max(...steps)
}
