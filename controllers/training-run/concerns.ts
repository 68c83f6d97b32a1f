// What a person should know about an attempt that runs, though it may still go well.
import { hasStarted } from '../jobs/trouble.ts'
import { secondsLeft } from '../jobs/backoff.ts'
import { isLive, newestPod } from '../jobs/children.ts'
import { conditionOf } from '../../operator/meta/conditions.ts'
import { usedOf } from '../shared/budget.ts'
import { limitsOf } from './budget.ts'
import { type Attempt } from './children.ts'
import { estimateOf } from './cost.ts'
import type { Observed } from './observed.ts'
import { silentAfterSeconds } from './pace.ts'
import { isTerminal } from '../shared/kinds.ts'

export const concerns = ['Silent', 'BudgetAtRisk', 'UnfitNode'] as const

/** A condition that is there while it holds, and a warning when it begins. */
export type Concern = Readonly<{ type: (typeof concerns)[number]; reason: string; message: string }>

export function concernsOf(seen: Observed): readonly Concern[] {
  const attempt = seen.attempts.findLast(isLive)
  if (attempt === undefined || !isTraining(attempt)) return []
  return [silence(seen, attempt), budgetRisk(seen), unfitNode(seen, attempt)].flatMap((concern) => concern ?? [])
}

function isTraining(attempt: Attempt): boolean {
  const pod = newestPod(attempt)
  return pod !== undefined && pod.metadata.deletionTimestamp === undefined && !isTerminal(pod) && hasStarted(attempt)
}

/** Told from what this process has heard: after a restart of the operator everybody would look silent for a moment. */
function silence(seen: Observed, { number }: Attempt): Concern | undefined {
  const { progress, pace, now, resolved } = seen
  if (progress === undefined) return stillSilent(seen, number)
  if (secondsLeft(progress.updatedTime, silentAfterSeconds(pace), now) > 0) return undefined
  const usual = pace === undefined ? '' : ` A step usually takes ${pace.secondsPerStep.toFixed(1)} s.`
  const message = `Its last report came at ${progress.updatedTime}.${usual} If it makes no step for ${resolved.stallAfterSeconds} s (spec.retries.stallAfterSeconds), it is ended and repeated.`
  return { type: 'Silent', reason: 'NoReport', message }
}

function stillSilent({ run }: Observed, number: number): Concern | undefined {
  const shown = conditionOf(run.status?.conditions, 'Silent')
  return shown?.status !== 'True' || run.status?.progress?.attempt !== number ? undefined : { type: 'Silent', reason: shown.reason, message: shown.message }
}

function budgetRisk(seen: Observed): Concern | undefined {
  const estimate = estimateOf(seen)
  const overdrawn = estimate === undefined ? [] : limitsOf(seen, estimate).filter(({ isOverdrawn }) => isOverdrawn)
  if (overdrawn.length === 0) return undefined
  return { type: 'BudgetAtRisk', reason: 'EstimateExceedsBudget', message: `At this pace the whole run takes ${usedOf(overdrawn)}: it stops before its last step unless the budget is raised.` }
}

/** A pool never matches such a node, but the flavor of a queue may. */
function unfitNode({ resolved: { gpusPerNode, queueName } }: Observed, { unfit, pods }: Attempt): Concern | undefined {
  if (unfit === undefined || gpusPerNode === 0) return undefined
  const node = pods.at(-1)?.spec?.nodeName
  return { type: 'UnfitNode', reason: 'PartialGPUs', message: `Queue ${queueName} chose node ${node}, but ${unfit}. Give the ResourceFlavor nodes with whole GPUs of their own, and suspend and resume the run to leave this one.` }
}
