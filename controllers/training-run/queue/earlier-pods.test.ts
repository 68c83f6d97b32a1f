import { describe, expect, it } from 'vitest'
import { newestPod, takenAway } from '../../jobs/children.ts'
import { anObservation, preempted } from '../../../test/world/training-run.ts'
import type { TrainingRunAttempt } from '../../../crds/training-run.ts'
import type { Pod } from '../../shared/kinds.ts'
import { ATTEMPT, JOB_TRACKING_FINALIZER, ROLE } from '../../shared/labels.ts'
import type { Attempt } from '../children.ts'
import type { Observed } from '../observed.ts'
import { earlierPodsOf, interruptedVerdict, toldPods, type EarlierPod } from './earlier-pods.ts'

const NOON = '2026-01-01T12:00:00Z'
const LATER = '2026-01-01T12:10:00Z'

type PodFields = Readonly<{ name: string; minute?: number; verdict?: object; tracked?: true; deleted?: false }>

/** A pod that ran for ten minutes and was deleted by the job controller for a suspension. */
function aPod({ name, minute = 0, verdict = preempted(1, { from: 0, to: 25 }), tracked, deleted }: PodFields): Pod {
  const creationTimestamp = `2026-01-01T12:0${minute}:00Z`
  const terminated = { exitCode: 75, startedAt: NOON, finishedAt: LATER, message: JSON.stringify(verdict) }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 'team', name, creationTimestamp, labels: { [ROLE]: 'train', [ATTEMPT]: '1' },
      finalizers: ['swe-operator.dev/verdict', ...(tracked ? [JOB_TRACKING_FINALIZER] : [])],
      ...(deleted === false ? {} : { deletionTimestamp: LATER }),
    },
    spec: { nodeName: 'node-1' },
    status: { phase: 'Failed', containerStatuses: [{ name: 'train', state: { terminated } }] },
  }
}

function anAttempt(pods: readonly Pod[], record?: Partial<TrainingRunAttempt>): Attempt {
  const labels = { 'kueue.x-k8s.io/queue-name': 'a100' }
  const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { namespace: 'team', name: 'sft-a1', uid: 'u1', labels }, spec: { suspend: true } }
  return { number: 1, job, pods, ...(record === undefined ? {} : { record: { number: 1, job: 'sft-a1', startedTime: NOON, state: 'Running', ...record } }) }
}

const earlier = (name: string, more: Partial<EarlierPod> = {}): EarlierPod => ({ name, finishedTime: NOON, seconds: 10, cost: '1.0000', ...more })
const seen: Observed = anObservation({ compute: { queueName: 'a100' } })

describe('a pod that its queue took away', () => {
  it('is told with its node, its seconds and its steps', () => {
    expect(earlierPodsOf(seen, anAttempt([aPod({ name: 'p1' })]))).toEqual([{ name: 'p1', node: 'node-1', finishedTime: LATER, seconds: 600, fromStep: 0, lastStep: 25 }])
  })

  it('is no pod of the attempt any more, so that its end is not taken for that of the attempt', () => {
    expect(newestPod(anAttempt([aPod({ name: 'p1' })]))).toBeUndefined()
    expect(newestPod(anAttempt([aPod({ name: 'p2', minute: 5, deleted: false }), aPod({ name: 'p1' })]))?.metadata.name).toBe('p2')
  })

  it('is let go once the row tells of it', () => {
    const pods = [aPod({ name: 'p1' }), aPod({ name: 'p2', minute: 5 })]
    expect(toldPods(anAttempt(pods))).toEqual([])
    expect(toldPods(anAttempt(pods, { earlierPods: [earlier('p1')] })).map(({ metadata }) => metadata.name)).toEqual(['p1'])
  })

  it('is told once', () => {
    expect(earlierPodsOf(seen, anAttempt([aPod({ name: 'p1' })], { earlierPods: [earlier('p1')] }))).toEqual([earlier('p1')])
  })

  it('has the last word on the losses until the attempt ends', () => {
    const first = preempted(1, { from: 0, to: 10 })
    const second = preempted(1, { from: 10, to: 30 })
    expect(interruptedVerdict(anAttempt([aPod({ name: 'p2', minute: 5, verdict: second }), aPod({ name: 'p1', verdict: first })]))).toMatchObject({ lastStep: 30 })
  })

  it.each([
    ['the job controller still counts it', aPod({ name: 'p1', tracked: true })],
    ['nobody deleted it', aPod({ name: 'p1', deleted: false })],
    ['it came to its own end', aPod({ name: 'p1', verdict: { ...preempted(1, { from: 0, to: 25 }), exitCode: 68, reason: 'Diverged' } })],
  ])('is another matter where %s', (_, pod) => {
    expect(takenAway(anAttempt([pod]))).toEqual([])
  })

  it('is another matter once the Job ends', () => {
    const { job, ...rest } = anAttempt([aPod({ name: 'p1' })])
    const conditions = [{ type: 'FailureTarget', status: 'True', reason: 'BackoffLimitExceeded' }]
    expect(takenAway({ ...rest, ...(job === undefined ? {} : { job: { ...job, status: { conditions } } }) })).toEqual([])
  })
})

describe('pods that a queue took away, beyond the twenty that a row shows', () => {
  const twenty = Array.from({ length: 20 }, (_, index) => earlier(`p${index + 1}`, index === 0 ? { fromStep: 0 } : {}))

  it('are told as one from the oldest on, and nothing of the sum is lost', () => {
    const told = earlierPodsOf(seen, anAttempt([aPod({ name: 'p21' })], { earlierPods: twenty }))
    expect([told.length, told[0], told.at(-1)?.name]).toEqual([20, earlier('p2', { seconds: 20, cost: '2.0000', fromStep: 0 }), 'p21'])
  })

  it('keep their own line while they exist', () => {
    const told = earlierPodsOf(seen, anAttempt([aPod({ name: 'p1' }), aPod({ name: 'p21' })], { earlierPods: twenty }))
    expect(told.map(({ name }) => name)).toEqual(twenty.map(({ name }) => name))
  })
})
