import { PreferenceGenType } from '../../crds/preference-gen.ts'
import type { Runtime } from '../../operator/runtime.ts'
import { counter, scrapedGauge } from '../../operator/observe/instruments.ts'
import { states } from '../preference-gen/reasons.ts'
import { onStatusChange } from './status-changes.ts'

export type PreferenceMetricsDeps = Pick<Runtime, 'cache' | 'metrics' | 'isLeading'>

/** Everything that is told of PreferenceGens. Only the leader tells it, so that a sum over replicas is the truth. */
export function exposePreferenceMetrics({ cache, metrics, isLeading }: PreferenceMetricsDeps): void {
  scrapedGauge(metrics, { name: 'swe_operator_preference_gens', help: 'PreferenceGens by state.', by: ['state'] }, (gauge) => {
    if (!isLeading()) return
    for (const state of Object.keys(states)) gauge.set({ state }, 0)
    for (const { status } of cache.of(PreferenceGenType).list()) gauge.inc({ state: status?.state ?? 'Pending' })
  })
  const pairs = counter(metrics, { name: 'swe_operator_preference_pairs_total', help: 'Pairs of a chosen and a rejected patch that were made.', by: [] })
  const samples = counter(metrics, { name: 'swe_operator_preference_samples_total', help: 'Samples that pairs were made of, or could not be.', by: [] })
  onStatusChange(PreferenceGenType, { cache, isLeading }, (before, after) => {
    const grown = (field: 'pairs' | 'samples'): number => Math.max(0, (after?.counts?.[field] ?? 0) - (before?.counts?.[field] ?? 0))
    pairs.inc(grown('pairs'))
    samples.inc(grown('samples'))
  })
}
