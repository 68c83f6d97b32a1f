// The table of attempts in the status: what is recorded stays, what the cluster has is added.
import type { TrainingRun, TrainingRunAttempt } from '../../crds/training-run.ts'
import { toSeconds } from '../../operator/meta/time.ts'
import { containerEnd, endTimeOf, isLive, newestPod } from '../jobs/children.ts'
import { type Outcome, outcomeOf } from '../jobs/outcome.ts'
import { millionths, toDecimal } from '../shared/decimal.ts'
import { isFinished, wasTrained } from '../shared/lifecycle.ts'
import { priceOf } from '../shared/prices.ts'
import { isBeforeAll, isRecorded, type Attempt } from './children.ts'
import { microBatchAfter } from './micro-batch.ts'
import type { Observed } from './observed.ts'
import { occupiedSeconds } from './occupancy.ts'
import { rateOf } from './prices.ts'
import { lastReportedStep, newestProgress } from './progress.ts'
import { earlierPodsOf, sumOf } from './queue/earlier-pods.ts'

const ATTEMPTS_SHOWN = 20 // the bound of the CRD

/** Whether the training is over and its result lies in the store: one that lost its status, or its pod after the last write, does not train again. */
export function isTrained(seen: Observed): boolean {
  return !seen.attempts.some(isLive) && (wasTrained(seen.run) || seen.result !== undefined || attemptTable(seen).at(-1)?.state === 'Completed')
}

/** The table of attempts as the status should show it. */
export function attemptTable(seen: Observed): readonly TrainingRunAttempt[] {
  return attemptsToTell(seen).slice(-ATTEMPTS_SHOWN)
}

/** All attempts of which something is left: what is recorded stays, what ended is added once it is known how. */
export function attemptsToTell(seen: Observed): readonly TrainingRunAttempt[] {
  const rows: TrainingRunAttempt[] = []
  for (const attempt of seen.attempts) if (!attempt.forgotten) rows.push(describeAttempt(seen, attempt, rows.at(-1)))
  return rows
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

function describeAttempt(seen: Observed, attempt: Attempt, previous: TrainingRunAttempt | undefined): TrainingRunAttempt {
  const { record, verdict } = attempt
  if (record && isRecorded(attempt)) return record
  const perDevice = record?.perDevice ?? verdict?.microBatch ?? microBatchAfter(previous, seen.resolved.perDevice)
  const base = { ...describeStart(seen, attempt), perDevice, ...describeUse(seen, attempt) }
  const outcome = endingOf(seen, attempt)
  if (!outcome) return base
  const fromStep = base.earlierPods?.[0]?.fromStep ?? verdict?.fromStep
  const lastStep = verdict?.lastStep ?? lastReportedStep(seen, attempt.number)
  return {
    ...base,
    state: endState(seen, outcome),
    finishedTime: endTimeOf(attempt) ?? toSeconds(seen.now),
    reason: outcome.reason,
    message: outcome.message,
    ...(outcome.exitCode === undefined ? {} : { exitCode: outcome.exitCode }),
    ...(fromStep === undefined ? {} : { fromStep }),
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

/** What it occupied so far, and what that costs. */
function describeUse(seen: Observed, attempt: Attempt): Pick<TrainingRunAttempt, 'seconds' | 'gpuSeconds' | 'cost' | 'pool' | 'earlierPods'> {
  const progress = newestProgress(seen)
  const reportedTime = progress?.attempt === attempt.number ? progress.updatedTime : undefined
  const earlier = earlierPodsOf(seen, attempt)
  const told = sumOf(earlier)
  const seconds = occupiedSeconds(attempt, { now: seen.now, reportedTime }, earlier)
  const pool = attempt.pool ?? attempt.record?.pool ?? seen.resolved.pool
  const { gpus, perHour } = rateOf(seen, pool)
  return {
    seconds,
    gpuSeconds: seconds * gpus,
    ...(perHour === undefined ? {} : { cost: toDecimal(told.money + millionths(priceOf(seconds - told.seconds, perHour))) }),
    ...(pool === undefined ? {} : { pool }),
    ...(earlier.length === 0 ? {} : { earlierPods: earlier }),
  }
}

/** Its trainer cannot tell why it was asked to stop; the state does, which remembers what we asked for. */
function endingOf({ run }: Observed, attempt: Attempt): Outcome | undefined {
  const outcome = newOutcomeOf(attempt)
  if (outcome?.retry !== 'Always' || run.status?.state !== 'BudgetExceeded') return outcome
  return { ...outcome, reason: 'BudgetExceeded', message: `It was stopped for the budget. ${outcome.message}` }
}

function endState({ run }: Observed, { reason, retry }: Outcome): TrainingRunAttempt['state'] {
  if (reason === 'Completed') return 'Completed'
  if (retry !== 'Always') return 'Failed'
  if (reason === 'BudgetExceeded') return 'Suspended'
  return run.spec.suspend === true || run.status?.state === 'Suspending' ? 'Suspended' : 'Preempted'
}
