import { describe, expect, it } from 'vitest'
import { afterNoon, anObservation, aRecord, failed, NOON, type PodState } from '../../test/world/training-run.ts'
import { toSeconds } from '../../operator/meta/time.ts'
import type { Pod } from '../shared/kinds.ts'
import type { Attempt } from './children.ts'
import { occupiedSeconds } from './occupancy.ts'

const at = (seconds: number) => toSeconds(afterNoon(seconds))
const placedAt = (seconds: number) => ({ type: 'PodScheduled', status: 'True', lastTransitionTime: at(seconds) })

function attemptWith(status: NonNullable<Pod['status']>, more: Partial<Attempt> = {}): Attempt {
  return { ...attemptIn({ kind: 'Ended', jobIsLive: true, status }), ...more }
}

function attemptIn(pod: PodState): Attempt {
  const [attempt] = anObservation().attempt(1, pod).attempts
  if (!attempt) throw new Error('no attempt')
  return attempt
}

const running = (startedAt: number) => [{ name: 'train', state: { running: { startedAt: at(startedAt) } } }]
const terminated = (finishedAt: number) => [{ name: 'train', state: { terminated: { exitCode: 1, startedAt: at(40), finishedAt: at(finishedAt) } } }]
const clock = (seconds: number, reported?: number) => ({ now: afterNoon(seconds), reportedTime: reported === undefined ? undefined : at(reported) })

describe('the time an attempt is paid for', () => {
  it('begins when its pod gets a node, while the image is still pulled', () => {
    const waiting = [{ name: 'train', state: { waiting: { reason: 'ContainerCreating' } } }]
    expect(occupiedSeconds(attemptWith({ phase: 'Pending', conditions: [placedAt(10)], containerStatuses: waiting }), clock(70))).toBe(60)
  })

  it('does not run while the pod waits for a node', () => {
    const pending = { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', lastTransitionTime: at(0) }] } as const
    expect(occupiedSeconds(attemptWith(pending), clock(6000))).toBe(0)
    expect(occupiedSeconds(attemptIn({ kind: 'None' }), clock(6000))).toBe(0)
  })

  it('begins with the container where nobody wrote down when it was placed', () => {
    expect(occupiedSeconds(attemptWith({ phase: 'Running', containerStatuses: running(30) }), clock(90))).toBe(60)
  })

  it('ends with the container, whenever that is heard of', () => {
    expect(occupiedSeconds(attemptWith({ phase: 'Failed', conditions: [placedAt(10)], containerStatuses: terminated(110) }), clock(9000))).toBe(100)
  })

  it('ends with the node where that took the kubelet with it', () => {
    const lost = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC', lastTransitionTime: at(210) }
    expect(occupiedSeconds(attemptWith({ phase: 'Failed', conditions: [placedAt(10), lost], containerStatuses: running(20) }), clock(9000))).toBe(200)
  })

  it('ends with the Job where the pod says nothing', () => {
    const attempt = attemptIn({ kind: 'Ended', status: { phase: 'Failed', conditions: [placedAt(-50)] } })
    expect(occupiedSeconds(attempt, clock(9000))).toBe(50)
  })

  it('is what the trainer says where nothing else is left of it', () => {
    expect(occupiedSeconds({ number: 1, pods: [], verdict: { ...failed(1, 70, 'EngineFailed'), seconds: 77 } }, clock(9000))).toBe(77)
  })

  it('is bounded by the Job of a pod that vanished from its node', () => {
    const { job } = attemptIn({ kind: 'Ended' })
    const old = job && { ...job, status: { ...job.status, startTime: at(-300) } }
    const attempt: Attempt = { number: 1, pods: [], record: aRecord(1, 'Running', { node: 'node-1', seconds: 12 }), ...(old === undefined ? {} : { job: old }) }
    expect(occupiedSeconds(attempt, clock(9000))).toBe(300)
  })

  it('never becomes less than was written down', () => {
    const attempt = attemptWith({ phase: 'Failed', conditions: [placedAt(10)], containerStatuses: terminated(110) }, { record: aRecord(1, 'Running', { seconds: 101 }) })
    expect(occupiedSeconds(attempt, clock(9000))).toBe(101)
  })

  it('is not negative when clocks differ', () => {
    expect(occupiedSeconds(attemptWith({ phase: 'Running', conditions: [placedAt(10)] }), { now: NOON })).toBe(0)
  })
})

describe('the time of an attempt that runs', () => {
  const live = attemptWith({ phase: 'Running', conditions: [placedAt(0)], containerStatuses: running(5) })

  it('moves with its reports, which are written anyway', () => {
    expect([7, 12, 65].map((reported) => occupiedSeconds(live, clock(66, reported)))).toEqual([7, 12, 65])
  })

  it('moves once a minute where none come', () => {
    expect([1, 59, 60, 119, 120].map((now) => occupiedSeconds(live, clock(now)))).toEqual([0, 0, 60, 60, 120])
    expect([31, 90, 91].map((now) => occupiedSeconds(live, clock(now, 31)))).toEqual([31, 31, 91])
  })
})
