import { QUEUE_LABEL, WORKLOAD_PRIORITY_LABEL } from '../../jobs/queue-labels.ts'
import type { TrainingRun } from '../../../crds/training-run.ts'
import { nodesOf } from '../../pools/nodes.ts'
import type { Pool } from '../../pools/pool.ts'
import type { Resolved } from '../resolve.ts'
import type { Placement } from '../../jobs/program-job.ts'

/** Where a training pod runs: on the nodes of its pool, or, with a queue, wherever the flavor that the queue assigns says. */
export function placementOf({ spec: { compute } }: TrainingRun, { queueName }: Resolved, pool: Pool | undefined): Placement {
  const priority = compute?.priorityClassName === undefined ? {} : { priorityClassName: compute.priorityClassName }
  if (queueName === undefined) return { pod: { ...priority, ...nodesOf(pool) } }
  const { workloadPriorityClass } = compute ?? {}
  return {
    pod: priority,
    queueLabels: { [QUEUE_LABEL]: queueName, ...(workloadPriorityClass === undefined ? {} : { [WORKLOAD_PRIORITY_LABEL]: workloadPriorityClass }) },
  }
}
