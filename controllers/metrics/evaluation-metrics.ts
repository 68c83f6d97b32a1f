import { SWEBenchEvalType, type SWEBenchEvalStatus } from '../../crds/swebench-eval.ts'
import type { Runtime } from '../../operator/runtime.ts'
import { counter, scrapedGauge } from '../../operator/observe/instruments.ts'
import { states } from '../swebench-eval/reasons.ts'
import { onStatusChange } from './status-changes.ts'

export type EvaluationMetricsDeps = Pick<Runtime, 'cache' | 'metrics' | 'isLeading'>

type Counts = NonNullable<SWEBenchEvalStatus['counts']>

/** The official states, and ours beside them, by their field in status.counts. */
const OUTCOMES = ['resolved', 'unresolved', 'error', 'emptyPatch', 'incomplete'] as const satisfies readonly (keyof Counts)[]
const OF_EVALUATION = ['namespace', 'name']
const OVER = new Set<string>(Object.entries(states).flatMap(([state, { phase }]) => (phase === 'Succeeded' || phase === 'Failed' ? [state] : [])))

/** Everything that is told of evaluations. Only the leader tells it, so that a sum over replicas is the truth. */
export function exposeEvaluationMetrics(deps: EvaluationMetricsDeps): void {
  countByState(deps)
  showFigures(deps)
  countVerdicts(deps)
}

function countByState({ cache, metrics, isLeading }: EvaluationMetricsDeps): void {
  scrapedGauge(metrics, { name: 'swe_operator_evaluations', help: 'SWEBenchEvals by state.', by: ['state'] }, (gauge) => {
    if (!isLeading()) return
    for (const state of Object.keys(states)) gauge.set({ state }, 0)
    for (const { status } of cache.of(SWEBenchEvalType).list()) gauge.inc({ state: status?.state ?? 'Pending' })
  })
}

type Figure = Readonly<{ name: string; help: string; of(status: SWEBenchEvalStatus): number | undefined }>

const figures: readonly Figure[] = [
  { name: 'predictions', help: 'Predictions of an evaluation, and instances without one.', of: ({ counts }) => counts?.total },
  { name: 'resolved', help: 'Predictions that resolve their instance.', of: ({ counts }) => counts?.resolved },
  { name: 'invalid_instances', help: 'Instances that baselines have shown to be invalid here.', of: ({ baseline }) => baseline && baseline.goldFails + baseline.noOpResolves },
  { name: 'sandboxes', help: 'Sandboxes at work.', of: ({ progress }) => progress?.running },
  { name: 'waiting', help: 'Predictions and baselines that wait for a sandbox.', of: ({ progress }) => progress?.waiting },
  { name: 'eta_seconds', help: 'Seconds until the last verdict at the present pace.', of: ({ progress }) => progress?.etaSeconds },
  { name: 'cpu_seconds', help: 'Cores asked for times seconds, of all sandboxes that have ended.', of: ({ cost }) => cost?.cpuSeconds },
]

function showFigures({ cache, metrics, isLeading }: EvaluationMetricsDeps): void {
  for (const { name, help, of } of figures) {
    scrapedGauge(metrics, { name: `swe_operator_evaluation_${name}`, help, by: OF_EVALUATION }, (gauge) => {
      if (!isLeading()) return
      for (const { metadata: { namespace = '', name: evaluation }, status } of cache.of(SWEBenchEvalType).list()) {
        const value = status === undefined || OVER.has(status.state ?? '') ? undefined : of(status)
        if (value !== undefined) gauge.set({ namespace, name: evaluation }, value)
      }
    })
  }
}

/** By how the counts of a status grow: they survive a restart and a change of leader, so nothing is counted twice. */
function countVerdicts({ cache, metrics, isLeading }: EvaluationMetricsDeps): void {
  const verdicts = counter(metrics, { name: 'swe_operator_verdicts_total', help: 'Predictions that ended, by official state.', by: ['state'] })
  const losses = counter(metrics, { name: 'swe_operator_sandboxes_lost_total', help: 'Sandboxes that were lost for no fault of their patch, and whose prediction was graded again.', by: [] })
  const cached = counter(metrics, { name: 'swe_operator_verdicts_cached_total', help: 'Of swe_operator_verdicts_total, those of an earlier evaluation that ran the same: no sandbox ran.', by: [] })
  for (const state of OUTCOMES) verdicts.inc({ state }, 0)
  onStatusChange(SWEBenchEvalType, { cache, isLeading }, (before, after) => {
    const grown = (field: keyof Counts): number => Math.max(0, (after?.counts?.[field] ?? 0) - (before?.counts?.[field] ?? 0))
    for (const state of OUTCOMES) verdicts.inc({ state }, grown(state))
    losses.inc(grown('infrastructureRetries'))
    cached.inc(grown('cached'))
  })
}
