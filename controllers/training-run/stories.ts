// What people read: each message says what happened, to which object, and what to do.
import { restOf, usedOf } from '../shared/budget.ts'
import { cut } from '../shared/text.ts'
import { remedyFor } from '../jobs/endings.ts'
import type { TrainingRunAttempt } from '../../crds/training-run.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { conditionOf } from '../../operator/meta/conditions.ts'
import { toSeconds } from '../../operator/meta/time.ts'
import { attemptTable } from './attempt-table.ts'
import { spentLimits } from './budget.ts'
import { describePreferences } from './changes.ts'
import { describeCost } from './cost.ts'
import { describeGate } from './gate.ts'
import { accumulationFor, microBatchAfter } from './micro-batch.ts'
import type { Observed } from './observed.ts'
import { newestProgress } from './progress.ts'
import { describePublish } from './publishing.ts'
import { conclude, isState } from './reasons.ts'
import { completion, reportUri, uriOf } from './results.ts'
import type { Next } from './retries.ts'

const LOG_TAIL_MAX = 1024 // the last exception; the whole log is in the pod

export function successMessage(seen: Observed): string {
  const { message } = describeGate(seen) ?? {}
  const { url } = describePublish(seen) ?? {}
  return [trainedMessage(seen), ...(message === undefined ? [] : [message]), ...(url === undefined ? [] : [`It is published at ${url}.`])].join(' ')
}

/** What the training came to: as it was told first, for what tells it may be gone since. */
export function trainedMessage(seen: Observed): string {
  const told = conditionOf(seen.run.status?.conditions, 'Trained')
  if (told?.status === 'True') return told.message
  const { loss, artifacts } = completion(seen) ?? {}
  const attempts = Math.max(1, seen.attempts.at(-1)?.number ?? 1)
  const change = loss?.first === undefined || loss.last === undefined ? '' : `, loss ${loss.first} → ${loss.last}`
  const report = reportUri(seen)
  const where = report === undefined ? `${counted(artifacts?.length ?? 0, 'artifact')} under ${uriOf(seen, 'result/')}` : `report at ${report}`
  return `${steps(seen)} in ${counted(attempts, 'attempt')}${change}${preferences(seen) ?? perplexity(seen)}${price(seen)}; ${where}.`
}

function price(seen: Observed): string {
  const { amount, currency } = describeCost(seen, 'Over') ?? {}
  return amount === undefined ? '' : `, for ${amount} ${currency}`
}

function steps(seen: Observed): string {
  const { totalSteps, lastStep, stoppedEarly } = completion(seen) ?? {}
  if (stoppedEarly) return `Trained ${lastStep ?? 'some'} of ${totalSteps ?? 'all'} steps, ended early for lack of improvement,`
  return totalSteps === undefined ? 'Trained' : `Trained ${totalSteps} steps`
}

/** Undefined where nothing was compared. On the pairs that it is trained on a model is soon always right. */
function preferences(seen: Observed): string | undefined {
  const { accuracy, margin } = describePreferences(seen) ?? {}
  if (accuracy === undefined || margin === undefined) return undefined
  if (accuracy.evalLast === undefined) return `, accuracy ${accuracy.last} and margin ${margin.last} on the pairs trained on`
  return `, accuracy ${accuracy.evalFirst} → ${accuracy.evalLast} and margin ${margin.evalFirst} → ${margin.evalLast} on the held-out pairs`
}

function perplexity(seen: Observed): string {
  const { value, low, high, reason } = completion(seen)?.perplexity ?? {}
  if (value !== undefined) return `, perplexity ${value} (${low} to ${high}) on the held-out rows`
  return reason === undefined ? '' : `, no perplexity: ${reason}`
}

export function suspendedMessage(seen: Observed): string {
  const last = attemptTable(seen).at(-1)
  if (last === undefined) return 'Suspended before the first attempt; set spec.suspend to false to start.'
  const where = last.lastStep === undefined ? '' : ` at step ${last.lastStep}`
  return `Suspended${where} after attempt ${last.number}; set spec.suspend to false to continue from the newest checkpoint.`
}

/** What of the budget is used, and how to go on. */
export function overBudgetMessage(seen: Observed): string {
  const limits = spentLimits(seen)
  const { step, totalSteps } = newestProgress(seen) ?? {}
  const where = step === undefined ? '' : ` at step ${step}${totalSteps === undefined ? '' : ` of ${totalSteps}`}`
  return `The run has used ${usedOf(limits)}${where}${restOf(limits)}. Raise the limit, and it continues from the newest checkpoint.`
}

/** How the newest attempt ended and when the next one comes; says the same as long as that is so. */
export function retryMessage(seen: Observed, afterSeconds: number): string {
  const last = attemptTable(seen).at(-1)
  if (last === undefined) return 'The first attempt starts.'
  const due = new Date(Date.parse(last.finishedTime ?? toSeconds(seen.now)) + afterSeconds * 1000)
  const when = afterSeconds === 0 ? 'follows at once' : `starts at ${toSeconds(due)}`
  return `${attemptStory(seen)} Attempt ${last.number + 1} ${when}${smallerPasses(seen, last)}.`
}

/** Fewer rows at once and more passes: the step stays what the specification says. */
function smallerPasses({ resolved }: Observed, last: TrainingRunAttempt): string {
  const before = last.perDevice ?? resolved.perDevice
  const after = microBatchAfter(last, resolved.perDevice)
  if (after === before) return ''
  return `, with micro-batch ${before} → ${after} and accumulation ${accumulationFor(before, resolved)} → ${accumulationFor(after, resolved)}`
}

/** How the newest attempt ended. */
function attemptStory(seen: Observed): string {
  const last = attemptTable(seen).at(-1)
  const where = last?.lastStep === undefined ? '' : ` at step ${last.lastStep}`
  return `Attempt ${last?.number} ended${where} with ${last?.reason}: ${last?.message ?? ''}`
}

type GiveUp = Extract<Next, { kind: 'GiveUp' }>

export function giveUpMessage(seen: Observed, why: GiveUp['why']): Verdict {
  const last = attemptTable(seen).at(-1)
  const reason = last?.reason ?? ''
  const remedy = remedyFor(reason) ?? ''
  const parts = [attemptStory(seen), because(seen, why), last?.message === remedy ? '' : remedy, 'Remove the cause and create a new TrainingRun.', logTail(seen)]
  return conclude(why === 'Never' && isState(reason) ? reason : 'Failed', parts.filter((part) => part !== '').join(' '))
}

function because(seen: Observed, why: GiveUp['why']): string {
  switch (why) {
    case 'Never':
      return ''
    case 'RetriesExhausted':
      return `No more attempts: spec.retries.limit is ${seen.resolved.retryLimit}.`
    case 'NoProgress':
      return 'No more attempts: five in a row got no further. Write checkpoints more often (checkpoint.everySteps), or choose nodes that stay (compute.pool).'
  }
}

function logTail({ attempts }: Observed): string {
  const lines = attempts.at(-1)?.verdict?.logTail ?? []
  return lines.length === 0 ? '' : `Last log lines: ${cut(lines.join('\n').slice(-LOG_TAIL_MAX), LOG_TAIL_MAX)}`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
