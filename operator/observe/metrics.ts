import { collectDefaultMetrics, Registry } from 'prom-client'
import { kindKey, type ResourceType } from '../api/object.ts'
import type { RequestOutcome } from '../api/transport.ts'
import type { CacheEvent } from '../cache/cache.ts'
import type { RunnerObserver } from '../control/runner.ts'
import { createControllerMetrics } from './controller-metrics.ts'
import { counter, scrapedGauge } from './instruments.ts'

const CACHE_EVENTS = ['Listed', 'ListFailed', 'WatchOpened', 'WatchClosed', 'WatchFailed', 'WentBackwards', 'HandlerFailed'] as const

/** The metrics of one process, under the names that controller-runtime's dashboards and alerts expect. */
export type Metrics = Readonly<{
  registry: Registry
  /** All label sets of the controller start at 0. */
  controller(name: string): RunnerObserver
  cache(event: CacheEvent): void
  request(outcome: RequestOutcome): void
  gateGaveUp(type: ResourceType): void
  eventDropped(): void
}>

/** Asked at each scrape. */
export type Gauges = Readonly<{ leaseName: string; isLeading: () => boolean; staleSeconds: () => number }>

export function createMetrics({ leaseName, isLeading, staleSeconds }: Gauges): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry }) // memory, CPU, garbage collection and the lag of the event loop
  const requests = counter(registry, { name: 'rest_client_requests_total', help: 'Requests to the API server.', by: ['code', 'method', 'host'] })
  const cacheEvents = counter(registry, { name: 'operator_cache_events_total', help: 'What happened to the lists and watches of a kind.', by: ['kind', 'event'] })
  const gaveUp = counter(registry, { name: 'operator_consistency_gate_given_up_total', help: 'Own writes that a cache did not show within a minute.', by: ['kind'] })
  const dropped = counter(registry, { name: 'operator_events_dropped_total', help: 'Events not recorded: queue full, refused, or too many tries.', by: [] })
  scrapedGauge(registry, { name: 'leader_election_master_status', help: 'Whether this replica leads.', by: ['name'] }, (gauge) =>
    gauge.set({ name: leaseName }, Number(isLeading())))
  scrapedGauge(registry, { name: 'operator_cache_stale_seconds', help: 'Seconds since the API server last proved the oldest cache current.', by: [] }, (gauge) =>
    gauge.set(staleSeconds()))
  return {
    registry,
    controller: createControllerMetrics(registry),
    cache({ kind, name }) {
      for (const event of CACHE_EVENTS) cacheEvents.inc({ kind, event }, event === name ? 1 : 0)
      gaveUp.inc({ kind }, 0)
    },
    request: ({ code, method, host }) => requests.inc({ code, method, host }),
    gateGaveUp: (type) => gaveUp.inc({ kind: kindKey(type) }),
    eventDropped: () => dropped.inc(),
  }
}
