// Kueue's words for what an object of ours has to do with it.
import type { KubeObject } from '../../operator/api/object.ts'

/** On a Job: the LocalQueue that decides when it runs. Immutable while it does. */
export const QUEUE_LABEL = 'kueue.x-k8s.io/queue-name'

/** On a Job: the WorkloadPriorityClass, which orders the queue and says nothing to the scheduler. */
export const WORKLOAD_PRIORITY_LABEL = 'kueue.x-k8s.io/priority-class'

/** On a Workload, by Kueue: the uid of the Job it stands for. */
export const JOB_UID_LABEL = 'kueue.x-k8s.io/job-uid'

/** The LocalQueue that an object names. */
export function queueOf({ metadata }: KubeObject): string | undefined {
  return metadata.labels?.[QUEUE_LABEL]
}
