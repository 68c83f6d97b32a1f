import { hasStarted } from '../jobs/trouble.ts'
import { isLive, jobsOf } from '../jobs/children.ts'
import { waitForStore } from '../jobs/sealed.ts'
import type { Policy, Verdict } from '../../operator/control/plan.ts'
import { cleanUp } from '../shared/cleanup.ts'
import { finalVerdict } from '../shared/lifecycle.ts'
import { attemptTable, isTrained, newOutcomeOf } from './attempt-table.ts'
import { isOverBudget, spentLimits } from './budget.ts'
import { type Attempt } from './children.ts'
import { followEvaluation } from './from-eval.ts'
import { followPreferences } from './from-preferences.ts'
import { followRun } from './from-run.ts'
import { invalidServing, passGate } from './gate.ts'
import { isPrepared, type Observed } from './observed.ts'
import { invalidCompute } from './compute.ts'
import { prepareData } from './preparation.ts'
import { waitInQueue } from './queue/policies.ts'
import { publishResult } from './publishing.ts'
import { conclude } from './reasons.ts'
import { invalidReference, refuseCircle } from './references.ts'
import { nextAfter } from './retries.ts'
import { giveUpMessage, overBudgetMessage, retryMessage, suspendedMessage, successMessage } from './stories.ts'
import { inputsIfChanged, startNext, stoppingMessage, superviseRunning, superviseStart } from './supervision.ts'

/** The life of a training run, top to bottom: the first policy with an opinion decides. */
export const policies: readonly Policy<Observed>[] = [
  keepFinished, // Complete and Failed are final; what is left of it goes when that is wanted
  passGate, // before anything says that the run is complete
  publishResult, // only what has passed
  finish, // before suspend: what is complete cannot be held
  holdWhileSuspended,
  stopOverBudget, // after suspend, which asks for the same and says so
  waitInQueue, // a suspended Job is the same attempt
  superviseAttempt, // nothing below ever happens beside a live attempt
  waitForStore, // what comes next depends on what lies there
  holdAtBudget, // nothing that costs is started below, and what ended is written down all the same
  collectVerdict, // written down first: only then its pod may go and another attempt may come
  checkReferences, // before anything is created for a run that can never work
  refuseCircle,
  followRun, // after those: what can never work waits for nobody
  followPreferences,
  followEvaluation,
  prepareData, // once; every attempt reads the same prepared data
  startAttempt,
  giveUp,
]

const CHECK_SECONDS = 60 // a silent pod changes nothing in the cluster that would wake us

function keepFinished({ run, leftovers, now }: Observed): Verdict | undefined {
  const verdict = finalVerdict(run)
  return verdict && { ...verdict, ...cleanUp(run, leftovers, now) }
}

function finish(seen: Observed): Verdict | undefined {
  return isTrained(seen) ? conclude('Succeeded', successMessage(seen)) : undefined
}

function holdWhileSuspended(seen: Observed): Verdict | undefined {
  if (seen.run.spec.suspend !== true) return undefined
  const live = [...seen.preparations, ...seen.attempts].filter(isLive)
  if (live.length > 0) return conclude('Suspending', stoppingMessage(seen, live), { remove: jobsOf(live), again: CHECK_SECONDS })
  if (seen.storeTrouble !== undefined && (!seen.consulted || seen.attempts.some(({ unread }) => unread))) return undefined
  return conclude('Suspended', suspendedMessage(seen))
}

/** The trainer stops by itself at what it was told; this is for one that does not, or was told more than the budget is now. */
function stopOverBudget(seen: Observed): Verdict | undefined {
  const attempt = seen.attempts.findLast(isLive)
  if (!attempt || !isOverBudget(seen, attempt)) return undefined
  return conclude('BudgetExceeded', `${overBudgetMessage(seen)} ${stoppingMessage(seen, [attempt])}`, { remove: jobsOf([attempt]), again: CHECK_SECONDS })
}

// Resumed, or granted more, before the pod had ended: the state remembers that its end was asked for.
const STOPPING = { Suspending: 'It was suspended; the next attempt follows at once.', BudgetExceeded: 'It was stopped for the budget.' }

function superviseAttempt(seen: Observed): Verdict | undefined {
  const attempt = seen.attempts.findLast(isLive)
  if (!attempt) return undefined
  const { state } = seen.run.status ?? {}
  if ((state === 'Suspending' || state === 'BudgetExceeded') && isEnding(attempt)) {
    return conclude(state, `${superviseRunning(seen, attempt)} ${STOPPING[state]}`, { again: CHECK_SECONDS })
  }
  const verdict = hasStarted(attempt)
    ? conclude('Running', superviseRunning(seen, attempt), { again: CHECK_SECONDS })
    : superviseStart(seen, attempt, 'Starting')
  return { ...verdict, apply: inputsIfChanged(seen) }
}

function isEnding({ job }: Attempt): boolean {
  return job === undefined || job.metadata.deletionTimestamp !== undefined
}

function holdAtBudget(seen: Observed): Verdict | undefined {
  if (!isPrepared(seen) || nextAfter(attemptTable(seen), seen.resolved.retryLimit).kind === 'GiveUp') return undefined
  return spentLimits(seen).length === 0 ? undefined : conclude('BudgetExceeded', overBudgetMessage(seen))
}

function collectVerdict(seen: Observed): Verdict | undefined {
  if (!seen.attempts.some((attempt) => newOutcomeOf(attempt))) return undefined
  const next = nextAfter(attemptTable(seen), seen.resolved.retryLimit)
  if (next.kind === 'GiveUp') return undefined
  return conclude('Retrying', retryMessage(seen, next.afterSeconds), { again: next.afterSeconds })
}

function checkReferences({ run, settings }: Observed): Verdict | undefined {
  const reference = invalidReference(run, settings.bucket)
  if (reference !== undefined) return conclude('InvalidReference', reference)
  const problem = invalidCompute(run, settings) ?? invalidServing(run, settings)
  return problem && conclude(problem.state, problem.message)
}

function startAttempt(seen: Observed): Verdict | undefined {
  const next = nextAfter(attemptTable(seen), seen.resolved.retryLimit)
  return next.kind === 'GiveUp' ? undefined : startNext(seen, next.afterSeconds)
}

function giveUp(seen: Observed): Verdict | undefined {
  const next = nextAfter(attemptTable(seen), seen.resolved.retryLimit)
  return next.kind === 'GiveUp' ? giveUpMessage(seen, next.why) : undefined
}
