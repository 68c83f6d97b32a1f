import { Counter, Gauge } from 'prom-client'

import { TrainingRunType, type TrainingRun } from '../crds/training-run.ts'
import type { KubeObject } from '../operator/api/object.ts'
import type { Runtime } from '../operator/manager.ts'
import { states } from './training-run/reasons.ts'

/** Counts runs and attempts over all namespaces. Only the leader does, so that a sum over replicas is the truth. */
export function exposeRunMetrics({ cache, metrics, isLeading }: Pick<Runtime, 'cache' | 'metrics' | 'isLeading'>): void {
  const registers = [metrics]
  const runs: Gauge = new Gauge({
    name: 'swe_operator_training_runs', help: 'TrainingRuns by state.', labelNames: ['state'], registers,
    collect: () => {
      runs.reset()
      if (!isLeading()) return
      for (const state of Object.keys(states)) runs.set({ state }, 0)
      for (const run of cache.of(TrainingRunType).list()) runs.inc({ state: run.status?.state ?? 'Pending' })
    },
  })
  const attempts = new Counter({ name: 'swe_operator_training_attempts_total', help: 'Finished training attempts by reason.', labelNames: ['reason'], registers })
  cache.onChange(TrainingRunType, (before, after) => {
    if (before === undefined || after === undefined || !isLeading()) return
    for (const reason of newlyFinished(before, after)) attempts.inc({ reason })
  })
}

/** The reasons of attempts that are over now and were not before. */
function newlyFinished(before: RunLike, after: RunLike): readonly string[] {
  const over = new Set(finished(before).map(({ number }) => number))
  return finished(after).filter(({ number }) => !over.has(number)).map(({ reason, state }) => reason ?? state)
}

type RunLike = KubeObject & Pick<TrainingRun, 'status'>

function finished(run: RunLike) {
  return (run.status?.attempts ?? []).filter(({ state }) => state !== 'Running')
}
