import { describe, expect, it } from 'vitest'
import { createMetrics } from './metrics.ts'

function someMetrics() {
  return createMetrics({ leaseName: 'leader', isLeading: () => true, staleSeconds: () => 42 })
}

describe('metrics', () => {
  it('keep the names and labels that dashboards for controller-runtime expect, from 0 on', async () => {
    const metrics = someMetrics()
    metrics.controller('fleet').exposes(() => ({ depth: new Map(), adds: 0, retries: 0, unfinishedMs: 0, longestRunningMs: 0 }))
    const text = await metrics.registry.metrics()
    const lines = [
      ...['success', 'error', 'requeue', 'requeue_after'].map((result) => `controller_runtime_reconcile_total{controller="fleet",result="${result}"} 0`),
      'controller_runtime_reconcile_errors_total{controller="fleet"} 0',
      'controller_runtime_terminal_reconcile_errors_total{controller="fleet"} 0',
      'controller_runtime_reconcile_panics_total{controller="fleet"} 0',
      'controller_runtime_reconcile_timeouts_total{controller="fleet"} 0',
      'controller_runtime_max_concurrent_reconciles{controller="fleet"} 4',
      'controller_runtime_active_workers{controller="fleet"} 0',
      'controller_runtime_reconcile_time_seconds_count{controller="fleet"} 0',
      'workqueue_depth{name="fleet",controller="fleet",priority="0"} 0',
      'workqueue_depth{name="fleet",controller="fleet",priority="-100"} 0',
      'workqueue_adds_total{name="fleet",controller="fleet"} 0',
      'workqueue_retries_total{name="fleet",controller="fleet"} 0',
      'workqueue_queue_duration_seconds_count{name="fleet",controller="fleet"} 0',
      'workqueue_work_duration_seconds_count{name="fleet",controller="fleet"} 0',
      'workqueue_unfinished_work_seconds{name="fleet",controller="fleet"} 0',
      'workqueue_longest_running_processor_seconds{name="fleet",controller="fleet"} 0',
      'leader_election_master_status{name="leader"} 1',
      'operator_cache_stale_seconds 42',
    ]
    for (const line of lines) expect(text).toContain(`${line}\n`)
  })

  it('count passes by result, and failures by what they were', async () => {
    const metrics = someMetrics()
    const observer = metrics.controller('fleet')
    for (const [result, failure] of [['success'], ['again'], ['stale'], ['error', 'Bug'], ['error', 'Terminal'], ['error', 'Timeout']] as const) {
      observer.began()
      observer.ended(result, 10, failure)
    }
    const text = await metrics.registry.metrics()
    for (const line of [
      'controller_runtime_reconcile_total{controller="fleet",result="success"} 1',
      'controller_runtime_reconcile_total{controller="fleet",result="requeue_after"} 2',
      'controller_runtime_reconcile_total{controller="fleet",result="error"} 3',
      'controller_runtime_reconcile_errors_total{controller="fleet"} 3',
      'controller_runtime_reconcile_panics_total{controller="fleet"} 1',
      'controller_runtime_terminal_reconcile_errors_total{controller="fleet"} 1',
      'controller_runtime_reconcile_timeouts_total{controller="fleet"} 1',
      'operator_consistency_gate_waits_total{controller="fleet"} 1',
      'controller_runtime_active_workers{controller="fleet"} 0',
    ]) expect(text).toContain(`${line}\n`)
  })

  it('count requests, cache events and what was given up', async () => {
    const metrics = someMetrics()
    metrics.request({ code: '200', method: 'GET', host: 'h', verb: 'get' })
    metrics.cache({ kind: 'Ship', name: 'WatchFailed' })
    metrics.gateGaveUp({ apiVersion: 'v1', kind: 'Pod', plural: 'pods', scope: 'Namespaced' })
    metrics.eventDropped()
    const text = await metrics.registry.metrics()
    for (const line of [
      'rest_client_requests_total{code="200",method="GET",host="h"} 1',
      'operator_cache_events_total{kind="Ship",event="WatchFailed"} 1',
      'operator_cache_events_total{kind="Ship",event="Listed"} 0',
      'operator_consistency_gate_given_up_total{kind="Pod.v1."} 1',
      'operator_consistency_gate_given_up_total{kind="Ship"} 0',
      'operator_events_dropped_total 1',
    ]) expect(text).toContain(`${line}\n`)
  })
})
