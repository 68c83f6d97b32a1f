import { PreferenceGenType } from '../../crds/preference-gen.ts'
import { SWEBenchEvalType } from '../../crds/swebench-eval.ts'
import type { ResourceType } from '../../operator/api/object.ts'
import type { Runtime } from '../../operator/runtime.ts'
import { counter, scrapedGauge } from '../../operator/observe/instruments.ts'
import type { Asker } from '../generation/asker.ts'
import { states as statesOfPreferences } from '../preference-gen/reasons.ts'
import type { StateEntry } from '../shared/states.ts'
import { states as statesOfEvaluations } from '../swebench-eval/reasons.ts'
import { share } from './figures.ts'
import { growth } from './spending.ts'
import { onStatusChange } from './status-changes.ts'

export type ServingMetricsDeps = Pick<Runtime, 'cache' | 'metrics' | 'isLeading'>

type Cost = NonNullable<NonNullable<Asker['status']>['cost']>
type Shown = Readonly<{ prefix: string; over: ReadonlySet<string> }>

const OF_ASKER = ['namespace', 'name']

/** What serving models takes, for every kind that has one asked. Only the leader tells it, so that a sum over replicas is the truth. */
export function exposeServingMetrics(deps: ServingMetricsDeps): void {
  showCosts(PreferenceGenType, { prefix: 'swe_operator_preference_gen_', over: finalOf(statesOfPreferences) }, deps)
  showCosts(SWEBenchEvalType, { prefix: 'swe_operator_evaluation_', over: finalOf(statesOfEvaluations) }, deps)
  countServing(deps)
}

function finalOf(states: Readonly<Record<string, StateEntry>>): ReadonlySet<string> {
  return new Set(Object.entries(states).flatMap(([state, { phase }]) => (phase === 'Succeeded' || phase === 'Failed' ? [state] : [])))
}

type Figure = Readonly<{ name: string; help: string; of(cost: Cost): number | undefined }>

const figures: readonly Figure[] = [
  { name: 'serving_seconds', help: 'Seconds for which pods had a node to serve the model that is asked.', of: ({ servingSeconds }) => servingSeconds },
  { name: 'serving_gpu_seconds', help: 'GPUs times seconds of the pods that serve the model that is asked.', of: ({ servingGPUSeconds }) => servingGPUSeconds },
  { name: 'budget_used_ratio', help: 'Used share of the limit of spec.budget that is nearest.', of: ({ budgetUsedPercent }) => share(budgetUsedPercent) },
]

/** Until it ends: series that carry a name are as many as resources that go on. */
function showCosts<T extends Asker>(type: ResourceType<T>, { prefix, over }: Shown, { cache, metrics, isLeading }: ServingMetricsDeps): void {
  const each = (tell: (of: Readonly<{ namespace: string; name: string }>, cost: Cost) => void): void => {
    if (!isLeading()) return
    for (const { metadata: { namespace = '', name }, status } of cache.of(type).list()) if (status?.cost !== undefined && !over.has(status.state ?? '')) tell({ namespace, name }, status.cost)
  }
  for (const { name, help, of } of figures) {
    scrapedGauge(metrics, { name: `${prefix}${name}`, help, by: OF_ASKER }, (gauge) => each((labels, cost) => {
      const value = of(cost)
      if (value !== undefined) gauge.set(labels, value)
    }))
  }
  scrapedGauge(metrics, { name: `${prefix}cost_amount`, help: 'What serving the model that is asked has cost.', by: [...OF_ASKER, 'currency'] }, (gauge) => each((labels, { amount, currency = '' }) => {
    if (amount !== undefined) gauge.set({ ...labels, currency }, Number(amount))
  }))
}

/** By how the costs in the statuses grow: they survive a restart, so nothing is counted twice or missed. */
function countServing({ cache, metrics, isLeading }: ServingMetricsDeps): void {
  const count = (name: string, help: string, by: readonly string[] = []) => counter(metrics, { name: `swe_operator_serving_${name}_total`, help, by })
  const nodeSeconds = count('node_seconds', 'Seconds for which pods had a node to serve a model.')
  const gpuSeconds = count('gpu_seconds', 'GPUs times seconds of pods that serve a model.')
  const amount = count('cost_amount', 'What pods that serve a model cost, by currency.', ['currency'])
  const changed = (before: Asker['status'], after: Asker['status']): void => {
    nodeSeconds.inc(growth(before?.cost?.servingSeconds, after?.cost?.servingSeconds))
    gpuSeconds.inc(growth(before?.cost?.servingGPUSeconds, after?.cost?.servingGPUSeconds))
    if (after?.cost?.amount !== undefined) amount.inc({ currency: after.cost.currency ?? '' }, growth(before?.cost?.amount, after.cost.amount))
  }
  onStatusChange(PreferenceGenType, { cache, isLeading }, changed)
  onStatusChange(SWEBenchEvalType, { cache, isLeading }, changed)
}
