import type { Registry } from 'prom-client'
import type { FailureClass, Outcome } from '../control/reconcile.ts'
import { WORKERS, type RunnerObserver } from '../control/runner.ts'
import { LOW_PRIORITY, type QueueObserver, type QueueSnapshot } from '../queue/work-queue.ts'
import { counter, gauge, histogram, scrapedCounter, scrapedGauge } from './instruments.ts'

// controller-runtime's and client-go's buckets, so that dashboards made for them fit.
const RECONCILE_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9,
  1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60]
const QUEUE_BUCKETS_S = Array.from({ length: 12 }, (_, power) => 1e-8 * 10 ** power)
const RESULTS = ['success', 'error', 'requeue', 'requeue_after'] as const
const QUEUE_LABELS = ['name', 'controller'] as const

/** Metrics of controllers and their queues; all label sets of a controller start at 0. */
export function createControllerMetrics(registry: Registry): (name: string) => RunnerObserver {
  const passes = passMetrics(registry)
  const queues = queueMetrics(registry)
  return (controller) => {
    passes.initialise(controller)
    return {
      queue: queues.observer(controller),
      exposes: (snapshot) => queues.expose(controller, snapshot),
      began: () => passes.active.inc({ controller }),
      ended(result, tookMs, failure) {
        passes.active.dec({ controller })
        passes.seconds.observe({ controller }, tookMs / 1000)
        passes.total.inc({ controller, result: resultLabel(result) })
        if (result === 'error') passes.countFailure(controller, failure)
        if (result === 'stale') passes.stale.inc({ controller })
      },
    }
  }
}

function resultLabel(result: Outcome['result']): (typeof RESULTS)[number] {
  return result === 'again' || result === 'stale' ? 'requeue_after' : result
}

function passMetrics(registry: Registry) {
  const by = ['controller']
  const count = (name: string, help: string) => counter(registry, { name: `controller_runtime_${name}`, help, by })
  const total = counter(registry, { name: 'controller_runtime_reconcile_total', help: 'Passes by result.', by: ['controller', 'result'] })
  const errors = count('reconcile_errors_total', 'Passes that failed.')
  const terminal = count('terminal_reconcile_errors_total', 'Passes that failed for good.')
  const panics = count('reconcile_panics_total', 'Passes that failed by a mistake in the code.')
  const timeouts = count('reconcile_timeouts_total', 'Passes that took too long.')
  const stale = counter(registry, { name: 'operator_consistency_gate_waits_total', help: 'Passes put off until the cache shows our own writes.', by })
  const seconds = histogram(registry, { name: 'controller_runtime_reconcile_time_seconds', help: 'Length of passes.', by }, RECONCILE_BUCKETS_S)
  const active = gauge(registry, { name: 'controller_runtime_active_workers', help: 'Passes under way.', by })
  const most = gauge(registry, { name: 'controller_runtime_max_concurrent_reconciles', help: 'Workers.', by })
  return {
    total,
    seconds,
    active,
    stale,
    initialise(controller: string): void {
      for (const one of [errors, terminal, panics, timeouts, stale]) one.inc({ controller }, 0)
      for (const result of RESULTS) total.inc({ controller, result }, 0)
      seconds.zero({ controller })
      active.set({ controller }, 0)
      most.set({ controller }, WORKERS)
    },
    countFailure(controller: string, failure: FailureClass | undefined): void {
      errors.inc({ controller })
      if (failure === 'Terminal') terminal.inc({ controller })
      if (failure === 'Bug') panics.inc({ controller })
      if (failure === 'Timeout') timeouts.inc({ controller })
    },
  }
}

function queueMetrics(registry: Registry) {
  const by = QUEUE_LABELS
  const waited = histogram(registry, { name: 'workqueue_queue_duration_seconds', help: 'How long ready keys waited.', by }, QUEUE_BUCKETS_S)
  const worked = histogram(registry, { name: 'workqueue_work_duration_seconds', help: 'How long keys were worked on.', by }, QUEUE_BUCKETS_S)
  return {
    expose: exposeQueues(registry),
    observer(controller: string): QueueObserver {
      const labels = labelsOf(controller)
      for (const one of [waited, worked]) one.zero(labels)
      return {
        taken: (waitedMs) => waited.observe(labels, waitedMs / 1000),
        finished: (workedMs) => worked.observe(labels, workedMs / 1000),
      }
    },
  }
}

type Labels = Readonly<Record<(typeof QUEUE_LABELS)[number], string>>

/** Looks into the queues at each scrape. */
function exposeQueues(registry: Registry): (controller: string, snapshot: () => QueueSnapshot) => void {
  const by = QUEUE_LABELS
  const queues = new Map<string, () => QueueSnapshot>()
  const each = (use: (labels: Labels, snapshot: QueueSnapshot) => void): void => {
    for (const [controller, snapshot] of queues) use(labelsOf(controller), snapshot())
  }
  scrapedCounter(registry, { name: 'workqueue_adds_total', help: 'Keys added.', by }, (counter) =>
    each((labels, { adds }) => counter.inc(labels, adds)))
  scrapedCounter(registry, { name: 'workqueue_retries_total', help: 'Keys added after a failure.', by }, (counter) =>
    each((labels, { retries }) => counter.inc(labels, retries)))
  scrapedGauge(registry, { name: 'workqueue_depth', help: 'Ready keys.', by: [...by, 'priority'] }, (gauge) =>
    each((labels, { depth }) => {
      for (const priority of new Set([0, LOW_PRIORITY, ...depth.keys()])) {
        gauge.set({ ...labels, priority: String(priority) }, depth.get(priority) ?? 0)
      }
    }))
  scrapedGauge(registry, { name: 'workqueue_unfinished_work_seconds', help: 'Ages of all passes under way, added up.', by }, (gauge) =>
    each((labels, { unfinishedMs }) => gauge.set(labels, unfinishedMs / 1000)))
  scrapedGauge(registry, { name: 'workqueue_longest_running_processor_seconds', help: 'Age of the oldest pass under way.', by }, (gauge) =>
    each((labels, { longestRunningMs }) => gauge.set(labels, longestRunningMs / 1000)))
  return (controller, snapshot) => void queues.set(controller, snapshot)
}

function labelsOf(controller: string): Labels {
  return { name: controller, controller }
}
