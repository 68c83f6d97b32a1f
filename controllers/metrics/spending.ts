import { endings } from '../jobs/endings.ts'
import { TrainingRunType, type TrainingRunStatus } from '../../crds/training-run.ts'
import type { Runtime } from '../../operator/runtime.ts'
import { counter } from '../../operator/observe/instruments.ts'
import { onStatusChange } from './status-changes.ts'

export type Watched = Pick<Runtime, 'cache' | 'metrics' | 'isLeading'>

type Status = TrainingRunStatus | undefined

/** Counts attempts as they end. What was over before this process led was counted by another, or before a restart. */
export function countAttempts({ cache, metrics, isLeading }: Watched): void {
  const attempts = counter(metrics, { name: 'swe_operator_training_attempts_total', help: 'Finished training attempts by how and why they ended.', by: ['state', 'reason'] })
  for (const { reason, retry } of endings) {
    const state = reason === 'Completed' ? 'Completed' : retry === 'Always' ? 'Preempted' : 'Failed'
    attempts.inc({ state, reason }, 0) // a rate over a series that begins at 1 would miss the first
  }
  onStatusChange(TrainingRunType, { cache, isLeading }, (before, after) => {
    const over = new Set(finished(before).map(({ number }) => number))
    for (const { number, state, reason } of finished(after)) if (!over.has(number)) attempts.inc({ state, reason: reason ?? state })
  })
}

/** Counts what is spent by how the costs in the statuses grow: they survive a restart, so nothing is counted twice or missed. */
export function countSpending({ cache, metrics, isLeading }: Watched): void {
  const count = (name: string, help: string, by: readonly string[] = []) => counter(metrics, { name: `swe_operator_training_${name}_total`, help, by })
  const nodeSeconds = count('node_seconds', 'Seconds for which training pods occupied a node.')
  const gpuSeconds = count('gpu_seconds', 'GPUs times seconds of training pods.')
  const cost = count('cost_amount', 'What training pods cost, by currency.', ['currency'])
  onStatusChange(TrainingRunType, { cache, isLeading }, (before, after) => {
    nodeSeconds.inc(growth(before?.cost?.seconds, after?.cost?.seconds))
    gpuSeconds.inc(growth(before?.cost?.gpuSeconds, after?.cost?.gpuSeconds))
    const { amount, currency = '' } = after?.cost ?? {}
    if (amount !== undefined) cost.inc({ currency }, growth(before?.cost?.amount, amount))
  })
}

function finished(status: Status) {
  return (status?.attempts ?? []).filter(({ state }) => state !== 'Running')
}

/** A counter never falls: a figure that did, or is none, adds nothing. */
export function growth(before: number | string | undefined, after: number | string | undefined): number {
  const grown = Number(after ?? 0) - Number(before ?? 0)
  return grown > 0 ? grown : 0
}
