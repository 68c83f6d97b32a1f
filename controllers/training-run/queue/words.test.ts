import { describe, expect, it } from 'vitest'
import type { Job } from '../../shared/kinds.ts'
import { waitingIn } from './words.ts'
import type { Workload, WorkloadCondition } from './workload.ts'

const job: Job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { namespace: 'team', name: 'sft-a1', uid: 'u1', labels: { 'kueue.x-k8s.io/queue-name': 'a100' } } }

type Fields = Readonly<{ spec?: Workload['spec']; status?: Workload['status'] }>

function workload(conditions: readonly WorkloadCondition[], { spec, status }: Fields = {}): Workload {
  const metadata = { namespace: 'team', name: 'job-sft-a1-1b2c3' }
  return { apiVersion: 'kueue.x-k8s.io/v1beta2', kind: 'Workload', metadata, spec: { active: true, queueName: 'a100', ...spec }, status: { ...status, conditions } }
}

const condition = (type: string, status: string, reason: string, message: string): WorkloadCondition => ({ type, status, reason, message })
const quota = condition('QuotaReserved', 'False', 'WaitingForQuota', "couldn't assign flavors to pod set main: insufficient unused quota for nvidia.com/gpu in flavor a100-80, 1 more needed")
const preempted = condition('Evicted', 'True', 'Preempted', 'Preempted to accommodate a workload (UID: 7) due to prioritization in the ClusterQueue')

const said = (conditions: readonly WorkloadCondition[], fields?: Fields) => waitingIn(job, { kind: 'Workload', workload: workload(conditions, fields) })

describe('why a Job waits in its queue', () => {
  it("is told in Kueue's own words", () => {
    expect(said([quota])).toEqual({
      kind: 'Passes',
      message: "It waits in LocalQueue a100 (WaitingForQuota): couldn't assign flavors to pod set main: insufficient unused quota for nvidia.com/gpu in flavor a100-80, 1 more needed.",
    })
  })

  it('names the eviction as long as it waits to come back', () => {
    expect(said([quota, preempted]).message).toMatch(/^Kueue took back its place \(Preempted\): Preempted to accommodate.* ClusterQueue[.] It waits in LocalQueue a100 \(WaitingForQuota\): couldn't/)
  })

  it('says it once where Kueue repeats the eviction as the state of the quota', () => {
    expect(said([preempted, { ...quota, reason: 'Pending', message: preempted.message ?? '' }]).message)
      .toBe('Kueue took back its place (Preempted): Preempted to accommodate a workload (UID: 7) due to prioritization in the ClusterQueue. It waits in LocalQueue a100.')
  })

  it('names when it is queued again', () => {
    const timeout = condition('Evicted', 'True', 'PodsReadyTimeout', 'Exceeded the PodsReady timeout team/sft-a1')
    const status = { requeueState: { requeueAt: '2026-01-01T13:00:00Z' } }
    expect(said([timeout, condition('Requeued', 'False', 'PodsReadyTimeout', 'x')], { status }).message).toContain('It is queued again at 2026-01-01T13:00:00Z.')
    expect(said([timeout, condition('Requeued', 'True', 'BackoffFinished', 'x')], { status }).message).not.toContain('queued again')
  })

  it('names the admission checks that are open', () => {
    const status = { admission: { clusterQueue: 'gpus' }, admissionChecks: [{ name: 'capacity', state: 'Pending', message: 'a node is coming' }, { name: 'budget', state: 'Ready' }] }
    expect(said([condition('QuotaReserved', 'True', 'QuotaReserved', 'x')], { status }).message)
      .toBe('ClusterQueue gpus has reserved quota; admission checks are open: capacity is Pending: a node is coming.')
  })

  it('is over once it is admitted', () => {
    const conditions = [condition('QuotaReserved', 'True', 'QuotaReserved', 'x'), condition('Admitted', 'True', 'Admitted', 'x')]
    expect(said(conditions, { status: { admission: { clusterQueue: 'gpus' } } }).message).toBe('Admitted by ClusterQueue gpus; the Job starts at once.')
  })

  it.each([
    ['Inadmissible', "LocalQueue a100 doesn't exist"],
    ['NoMatchingFlavor', "couldn't assign flavors to pod set main: flavor a100-80 doesn't match node affinity"],
    ['ExceedsMaxQuota', "couldn't assign flavors to pod set main: insufficient quota for nvidia.com/gpu in flavor a100-80, request > maximum capacity (16 > 8)"],
  ])('asks for somebody when it can never pass by itself: %s', (reason, message) => {
    expect(said([{ ...quota, reason, message }])).toEqual({ kind: 'Blocked', message: `It waits in LocalQueue a100 (${reason}): ${message}.` })
  })

  it('says what to do about a Workload that Kueue deactivated', () => {
    const evicted = condition('Evicted', 'True', 'DeactivatedDueToRequeuingLimitExceeded', 'The workload is deactivated due to exceeding the maximum number of re-queuing retries')
    expect(said([evicted], { spec: { active: false } })).toMatchObject({ kind: 'Ended', message: expect.stringMatching(/job-sft-a1-1b2c3 \(DeactivatedDueToRequeuingLimitExceeded\): .* Set its spec.active to true/) })
  })

  it('asks whether Kueue is there where nobody answers', () => {
    expect(waitingIn(job, { kind: 'NoApi' })).toEqual({ kind: 'Absent', message: 'No Kueue answers for Job sft-a1: is it installed, and does LocalQueue a100 exist?' })
    expect(waitingIn(job, { kind: 'NoWorkload' }).message).toContain('does it manage batch/job in namespace team?')
  })
})
