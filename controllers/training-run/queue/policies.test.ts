import { describe, expect, it } from 'vitest'
import { anObservation, completed, type Observation } from '../../../test/world/training-run.ts'
import type { Attempt } from '../children.ts'
import { plan } from '../plan.ts'
import type { QueueAnswer, WorkloadCondition } from './workload.ts'

const base = anObservation({ compute: { queueName: 'a100' } }).withData()

/** The first attempt, its Job suspended as it was created or as Kueue left it. */
function waiting(pod: Parameters<Observation['attempt']>[1] = { kind: 'None' }, answer?: QueueAnswer): Observation {
  const seen = base.attempt(1, pod)
  const attempts = seen.attempts.map(({ job, ...attempt }): Attempt => (job === undefined ? attempt : { ...attempt, job: { ...job, spec: { suspend: true } } }))
  return seen.with({ attempts, ...(answer === undefined ? {} : { queue: answer }) })
}

function workload(condition: WorkloadCondition): QueueAnswer {
  const status = { conditions: [condition] }
  return { kind: 'Workload', workload: { apiVersion: 'kueue.x-k8s.io/v1beta2', kind: 'Workload', metadata: { name: 'wl' }, spec: { active: true }, status } }
}

const ready = (seen: Observation) => (plan(seen).status as { conditions: { type: string; reason: string; message: string }[] }).conditions.find(({ type }) => type === 'Ready')
const TEN_MINUTES = 600

describe('a Job that waits in its queue', () => {
  it('is left alone and looked at again soon', () => {
    const { writes, again } = plan(waiting())
    expect([writes, again, ready(waiting())]).toMatchObject([[], 15, { reason: 'Queued', message: 'Job sft-a1 waits in LocalQueue a100.' }])
  })

  it('may wait for quota for ever', () => {
    const seen = waiting({ kind: 'None' }, workload({ type: 'QuotaReserved', status: 'False', reason: 'WaitingForQuota', message: 'insufficient unused quota' }))
    expect(ready(seen.later(100 * TEN_MINUTES))?.reason).toBe('Queued')
  })

  it.each([
    ['nobody answers', { kind: 'NoApi' } as const],
    ['its queue does not exist', workload({ type: 'QuotaReserved', status: 'False', reason: 'Inadmissible', message: "LocalQueue a100 doesn't exist" })],
  ])('needs somebody when %s for ten minutes', (_, answer) => {
    expect([ready(waiting({ kind: 'None' }, answer))?.reason, ready(waiting({ kind: 'None' }, answer).later(TEN_MINUTES))?.reason]).toEqual(['Queued', 'CannotStart'])
  })

  it('tells that its pod still writes a checkpoint after it was sent back', () => {
    expect(ready(waiting({ kind: 'Running', deleting: true }))?.message).toContain('gets up to 120 s to write a last checkpoint.')
  })

  it('is removed where its program came to its own end meanwhile, so that nothing does it again', () => {
    const { writes } = plan(waiting({ kind: 'Ended', verdict: completed(1), jobIsLive: true, deleted: true }))
    expect(writes).toMatchObject([{ op: 'remove', ref: { kind: 'Job', name: 'sft-a1' } }])
  })

  it('is removed when the run is suspended', () => {
    expect(plan(waiting().suspended()).writes).toMatchObject([{ op: 'remove', ref: { name: 'sft-a1' } }])
  })
})

describe('a Job that its queue has let go', () => {
  /** Hours after it was created. */
  const resumed = (startTime?: string) => {
    const seen = base.attempt(1, { kind: 'None' })
    const status = startTime === undefined ? {} : { startTime }
    const attempts = seen.attempts.map(({ job, ...attempt }): Attempt => (job === undefined ? attempt : { ...attempt, job: { ...job, spec: { suspend: false }, status } }))
    return seen.with({ attempts }).later(100 * TEN_MINUTES)
  }

  it('has its time to start from then on, however long it waited', () => {
    const minutesAgo = new Date(resumed().now.getTime() - 60_000).toISOString()
    expect([ready(resumed())?.reason, ready(resumed(minutesAgo))?.reason]).toEqual(['Starting', 'Starting'])
  })

  it('counts as unable to start ten minutes later', () => {
    const longAgo = new Date(resumed().now.getTime() - TEN_MINUTES * 1000).toISOString()
    expect(ready(resumed(longAgo))?.reason).toBe('CannotStart')
  })
})
