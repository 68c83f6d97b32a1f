import { Counter, type Registry } from 'prom-client'

/** What the endpoint counts. Routes are patterns, never paths: no label grows with the number of runs. */
export type EndpointMetrics = Readonly<{
  answered(route: string, code: number): void
  reported(outcome: 'Recorded' | 'Empty'): void
  advanced(steps: number): void
}>

export function createEndpointMetrics(registry: Registry): EndpointMetrics {
  const registers = [registry]
  const requests = new Counter({ name: 'swe_operator_endpoint_requests_total', help: 'Requests to the HTTPS endpoint.', labelNames: ['route', 'code'], registers })
  const reports = new Counter({ name: 'swe_operator_training_progress_reports_total', help: 'Progress reports of training pods.', labelNames: ['outcome'], registers })
  const steps = new Counter({ name: 'swe_operator_training_steps_total', help: 'Optimizer steps reported by all training pods.', registers })
  for (const outcome of ['Recorded', 'Empty']) reports.inc({ outcome }, 0)
  return {
    answered: (route, code) => requests.inc({ route, code: String(code) }),
    reported: (outcome) => reports.inc({ outcome }),
    advanced: (count) => steps.inc(count),
  }
}
