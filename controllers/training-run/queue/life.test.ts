import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SimulatedLife } from '../../../test/world/simulated-life.ts'
import { finishOf, isTerminal } from '../../shared/kinds.ts'
import { ROLE } from '../../shared/labels.ts'

const queued = () => new SimulatedLife({ compute: { queueName: 'a100' } })

/** Until the first attempt waits in its queue. */
async function inQueue(): Promise<SimulatedLife> {
  const life = queued()
  await life.bringUp()
  life.train(1) // the data is prepared
  life.cluster.runJobController()
  await life.settle()
  return life
}

async function train(life: SimulatedLife, steps: number): Promise<void> {
  life.cluster.suspendQueued(false)
  await life.bringUp()
  life.train(steps)
  await life.settle()
}

/** Kueue takes the place back; the pod writes its checkpoint within its grace period. */
async function sendBack(life: SimulatedLife): Promise<void> {
  life.cluster.suspendQueued(true)
  life.cluster.runJobController()
  await life.settle()
  life.cluster.seconds += 60
  life.runKubelet()
}

const PATIENCE = { timeout: 60_000 } // on a machine that may be busy with other things

describe('a run with a queue', PATIENCE, () => {
  it('waits in it before the first pod, and says why', async () => {
    const life = await inQueue()
    expect([life.status.state, life.cluster.pods().filter((pod) => pod.metadata.labels?.[ROLE] === 'train')]).toEqual(['Queued', []])
    expect(life.status.conditions?.find(({ type }) => type === 'Ready')?.message).toContain('No Kueue answers for Job sft-a1')
  })

  it('goes on in the same attempt after it was sent back, in one row', async () => {
    const life = await inQueue()
    await train(life, 25)
    await sendBack(life)
    await life.settle()
    expect(life.status).toMatchObject({ state: 'Queued', attempts: [{ number: 1, state: 'Running', earlierPods: [{ node: 'node-1', fromStep: 0, lastStep: 25, seconds: 60 }] }] })
    await train(life, 100)
    await life.goOn(3)
    expect(life.status).toMatchObject({ state: 'Succeeded', attempts: [{ number: 1, state: 'Completed', fromStep: 0, lastStep: 60 }] })
  })

  it('lets a pod that was taken away go once the row tells of it, and not before', async () => {
    const life = await inQueue()
    await train(life, 25)
    await sendBack(life)
    const first = await life.reconcile()
    expect(first.writes.filter(({ op }) => op === 'release')).toEqual([])
    const second = await life.reconcile()
    expect(second.writes).toMatchObject([{ op: 'release' }])
    expect(life.cluster.pods().filter((pod) => pod.metadata.labels?.[ROLE] === 'train')).toEqual([])
  })

  it('counts the seconds of every pod of an attempt once', async () => {
    const life = await inQueue()
    for (let times = 0; times < 3; times += 1) {
      await train(life, 10)
      await sendBack(life)
      await life.settle()
    }
    const [row] = life.status.attempts ?? []
    expect(row?.earlierPods?.map(({ seconds }) => seconds)).toEqual([60, 60, 60])
    expect([row?.seconds, life.status.cost?.seconds]).toEqual([180, 180])
  })

  it('is suspended by its user like any other, out of the queue too', async () => {
    const life = await inQueue()
    life.cluster.setSuspend(true)
    await life.settle()
    expect([life.status.state, life.cluster.jobs().filter((job) => job.metadata.labels?.[ROLE] === 'train')]).toEqual(['Suspended', []])
  })

  it('counts a failure of its own as the end of the attempt', async () => {
    const life = await inQueue()
    await train(life, 5)
    life.fail(70, 'EngineFailed')
    life.cluster.runJobController()
    await life.settle()
    expect(life.status.attempts).toMatchObject([{ number: 1, state: 'Failed', reason: 'EngineFailed' }])
  })

  it('ends an attempt that came to its own end while it was sent back', async () => {
    const life = await inQueue()
    await train(life, 5)
    life.cluster.suspendQueued(true)
    life.cluster.runJobController()
    life.fail(68, 'Diverged')
    await life.goOn(2)
    expect(life.status).toMatchObject({ state: 'Diverged', attempts: [{ number: 1, state: 'Failed', reason: 'Diverged' }] })
  })
})

type Action = readonly [name: string, does: (life: SimulatedLife) => unknown]

const actions: readonly Action[] = [
  ['reconcile', (life) => life.reconcile()],
  ['everybody does their part', (life) => life.goOn(1)],
  ['the kubelet runs', (life) => life.runKubelet()],
  ['the job controller runs', (life) => life.cluster.runJobController()],
  ['seven steps are trained', (life) => life.train(7)],
  ['Kueue admits', (life) => life.cluster.suspendQueued(false)],
  ['Kueue admits and everybody does their part', async (life) => (life.cluster.suspendQueued(false), life.goOn(2))],
  ['Kueue evicts', (life) => life.cluster.suspendQueued(true)],
  ['Kueue evicts and admits at once', (life) => (life.cluster.suspendQueued(true), life.cluster.runJobController(), life.cluster.suspendQueued(false))],
  ['the operator crashes before its first write', (life) => life.reconcile({ crashAfterWrites: 0 })],
  ['the operator crashes after its first write', (life) => life.reconcile({ crashAfterWrites: 1 })],
  ['the operator crashes before the status', (life) => life.reconcile({ crashAfterWrites: 9 })],
  ['the operator restarts', (life) => life.restartOperator()],
  ['garbage is collected', (life) => life.cluster.collectGarbage()],
  ['the pod is deleted', (life) => life.running().forEach((pod) => life.cluster.remove(pod))],
  ['the pod is killed', (life) => life.kill()],
  ['it is suspended', (life) => life.cluster.setSuspend(true)],
  ['it is resumed', (life) => life.cluster.setSuspend(false)],
]

describe('whatever a queue does to a run', PATIENCE, () => {
  const stories = fc.array(fc.constantFrom(...actions), { minLength: 15, maxLength: 50, size: 'max' })

  it('it has one live pod at most, loses no verdict and takes no figure back', async () => {
    await fc.assert(fc.asyncProperty(stories, async (story) => {
      const life = queued()
      for (const [, does] of story) {
        const before = life.status.cost?.seconds ?? 0
        await does(life)
        expect(life.status.cost?.seconds ?? 0).toBeGreaterThanOrEqual(before)
        expect(life.cluster.pods().filter((pod) => pod.metadata.labels?.[ROLE] === 'train' && !isTerminal(pod)).length).toBeLessThanOrEqual(1)
        expect([life.releasedUnrecorded, life.reusedNumbers]).toEqual([[], []])
      }
    }), { numRuns: 25 })
  })

  it('it comes to its end once it is admitted and left alone', async () => {
    await fc.assert(fc.asyncProperty(stories, async (story) => {
      const life = queued()
      for (const [, does] of story) await does(life)
      life.cluster.setSuspend(false)
      for (let round = 0; round < 40; round += 1) {
        life.cluster.suspendQueued(false)
        await life.goOn(1)
      }
      expect(life.status.state).toMatch(/Succeeded|Failed/)
      expect(life.cluster.pods().every((pod) => pod.metadata.finalizers?.includes('swe-operator.dev/verdict') !== true)).toBe(true)
      expect(life.cluster.jobs().filter((job) => !finishOf(job) && job.metadata.deletionTimestamp === undefined)).toEqual([])
    }), { numRuns: 12 })
  })
})
