import { queueOf } from '../../jobs/queue-labels.ts'
import type { Job } from '../../shared/kinds.ts'
import type { QueueAnswer, Workload, WorkloadCondition } from './workload.ts'

/** Why a Job waits in its queue, for a person. */
export type Waiting = Readonly<{
  message: string
  /** `Passes`: by itself, when others finish. `Absent`: nobody answers yet. `Blocked`: somebody must act. `Ended`: Kueue gave up. */
  kind: 'Passes' | 'Absent' | 'Blocked' | 'Ended'
}>

/** In Kueue's own words as far as there are any. `answer` undefined: nobody has asked. */
export function waitingIn(job: Job, answer: QueueAnswer | undefined): Waiting {
  const queue = queueOf(job) ?? ''
  switch (answer?.kind) {
    case undefined:
      return { kind: 'Passes', message: `Job ${job.metadata.name} waits in LocalQueue ${queue}.` }
    case 'NoApi':
      return { kind: 'Absent', message: `No Kueue answers for Job ${job.metadata.name}: is it installed, and does LocalQueue ${queue} exist?` }
    case 'NoWorkload':
      return { kind: 'Absent', message: `Kueue has made no Workload for Job ${job.metadata.name} yet: does it run, and does it manage batch/job in namespace ${job.metadata.namespace}?` }
    case 'Unreadable':
      return { kind: 'Passes', message: `Job ${job.metadata.name} waits in LocalQueue ${queue}; the operator may not list workloads.kueue.x-k8s.io to say why.` }
    case 'Workload':
      return waitingFor(queue, answer.workload)
  }
}

function waitingFor(queue: string, workload: Workload): Waiting {
  const { name } = workload.metadata
  const finished = holding(workload, 'Finished')
  if (finished) return { kind: 'Ended', message: `Kueue has ended Workload ${name}${because(finished)}` }
  if (workload.spec?.active === false) {
    return { kind: 'Ended', message: `Kueue has deactivated Workload ${name}${because(holding(workload, 'Evicted'))} Set its spec.active to true to queue it again.` }
  }
  if (holding(workload, 'Admitted')) return { kind: 'Passes', message: `Admitted by ClusterQueue ${workload.status?.admission?.clusterQueue}; the Job starts at once.` }
  if (holding(workload, 'QuotaReserved')) return waitingForChecks(workload)
  return waitingForQuota(queue, workload)
}

function waitingForChecks({ status }: Workload): Waiting {
  const open = (status?.admissionChecks ?? []).filter(({ state }) => state !== 'Ready')
  const checks = open.map(({ name, state, message = '' }) => `${name} is ${state}${message === '' ? '' : `: ${message}`}`)
  return { kind: 'Passes', message: sentence(`ClusterQueue ${status?.admission?.clusterQueue} has reserved quota; admission checks are open: ${checks.join('; ') || 'none named'}`) }
}

// Kueue repeats its decision when the configuration changes; until somebody changes it, nothing will.
const NEEDS_SOMEBODY = new Set(['Inadmissible', 'NoMatchingFlavor', 'ExceedsMaxQuota', 'Misconfigured', 'Suspended'])

function waitingForQuota(queue: string, workload: Workload): Waiting {
  const evicted = holding(workload, 'Evicted')
  const quota = conditionOf(workload, 'QuotaReserved')
  const requeueAt = workload.status?.requeueState?.requeueAt
  const parts = [
    ...(evicted ? [`Kueue took back its place${because(evicted)}`] : []),
    ...(requeueAt !== undefined && holding(workload, 'Requeued') === undefined ? [`It is queued again at ${requeueAt}.`] : []),
    // Right after an eviction Kueue repeats that message here.
    quota === undefined || quota.message === evicted?.message ? `It waits in LocalQueue ${queue}.` : `It waits in LocalQueue ${queue}${because(quota)}`,
  ]
  return { kind: NEEDS_SOMEBODY.has(quota?.reason ?? '') ? 'Blocked' : 'Passes', message: parts.join(' ') }
}

function because(condition: WorkloadCondition | undefined): string {
  return condition === undefined ? '.' : sentence(` (${condition.reason ?? condition.type}): ${condition.message ?? 'no message given'}`)
}

function sentence(text: string): string {
  const trimmed = text.trimEnd()
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`
}

function holding(workload: Workload, type: string): WorkloadCondition | undefined {
  const condition = conditionOf(workload, type)
  return condition?.status === 'True' ? condition : undefined
}

function conditionOf({ status }: Workload, type: string): WorkloadCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type)
}
