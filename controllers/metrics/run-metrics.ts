import { TrainingRunType } from '../../crds/training-run.ts'
import type { Runtime } from '../../operator/runtime.ts'
import { scrapedGauge } from '../../operator/observe/instruments.ts'
import { states } from '../training-run/reasons.ts'
import { figures, lookAt, type Reports } from './figures.ts'
import { isRecent, phaseOf } from './phase.ts'
import { countAttempts, countSpending } from './spending.ts'

export type RunMetricsDeps = Pick<Runtime, 'cache' | 'metrics' | 'isLeading' | 'world'> & Readonly<{ book: Reports }>

/** Everything that is told of runs. Only the leader tells it, so that a sum over replicas is the truth. */
export function exposeRunMetrics(deps: RunMetricsDeps): void {
  countByState(deps)
  showStates(deps)
  showCosts(deps)
  showFigures(deps)
  countAttempts(deps)
  countSpending(deps)
}

function countByState({ cache, metrics, isLeading }: RunMetricsDeps): void {
  scrapedGauge(metrics, { name: 'swe_operator_training_runs', help: 'TrainingRuns by state.', by: ['state'] }, (runs) => {
    if (!isLeading()) return
    for (const state of Object.keys(states)) runs.set({ state }, 0)
    for (const run of cache.of(TrainingRunType).list()) runs.inc({ state: run.status?.state ?? 'Pending' })
  })
}

const OF_RUN = ['namespace', 'name']

/** What ended stays for an hour: an alert on a run that failed has to name it. */
function showStates({ cache, metrics, isLeading, world }: RunMetricsDeps): void {
  const help = '1 for the state that a run is in, until an hour after its end.'
  scrapedGauge(metrics, { name: 'swe_operator_training_run_state', help, by: [...OF_RUN, 'state', 'phase'] }, (gauge) => {
    if (!isLeading()) return
    const now = world.now()
    for (const run of cache.of(TrainingRunType).list()) {
      const { namespace = '', name } = run.metadata
      if (isRecent(run, now)) gauge.set({ namespace, name, state: run.status?.state ?? 'Pending', phase: phaseOf(run) }, 1)
    }
  })
}

function showCosts(deps: RunMetricsDeps): void {
  const help = 'What the attempts of a run have cost, until it ends.'
  scrapedGauge(deps.metrics, { name: 'swe_operator_training_run_cost_amount', help, by: [...OF_RUN, 'currency'] }, (gauge) => {
    for (const { metadata: { namespace = '', name }, status } of unfinished(deps)) {
      const { amount, currency = '' } = status?.cost ?? {}
      if (amount !== undefined) gauge.set({ namespace, name, currency }, Number(amount))
    }
  })
}

function showFigures(deps: RunMetricsDeps): void {
  for (const { name: figure, help, of } of figures) {
    scrapedGauge(deps.metrics, { name: `swe_operator_training_run_${figure}`, help, by: OF_RUN }, (gauge) => {
      for (const run of unfinished(deps)) {
        const { namespace = '', name } = run.metadata
        const value = of(lookAt(run, deps))
        if (value !== undefined) gauge.set({ namespace, name }, value)
      }
    })
  }
}

/** Series that carry a run's name are as many as runs that have not ended. */
function unfinished({ cache, isLeading }: RunMetricsDeps) {
  if (!isLeading()) return []
  return cache.of(TrainingRunType).list().filter((run) => !['Succeeded', 'Failed'].includes(phaseOf(run)))
}
