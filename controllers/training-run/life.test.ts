import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kstatusOf } from '../../operator/meta/kstatus.ts'
import { SimulatedLife } from '../../test/world/simulated-life.ts'
import type { TrainingRunSpec, TrainingRunStatus } from '../../crds/training-run.ts'
import { finishOf, isTerminal } from '../shared/kinds.ts'
import { ROLE } from '../shared/labels.ts'
import { isComplete, isFinished } from '../shared/lifecycle.ts'
import { millionths } from '../shared/decimal.ts'

type Action = readonly [name: string, does: (life: SimulatedLife) => unknown]

const everyday: readonly Action[] = [
  ['reconcile', (life) => life.reconcile()],
  ['everybody does their part', (life) => life.goOn(1)],
  ['the kubelet runs', (life) => life.runKubelet()],
  ['the job controller runs', (life) => life.cluster.runJobController()],
  ['seven steps are trained', (life) => life.train(7)],
]

const unusual: readonly Action[] = [
  ['the operator crashes before its first write', (life) => life.reconcile({ crashAfterWrites: 0 })],
  ['the operator crashes after its first write', (life) => life.reconcile({ crashAfterWrites: 1 })],
  ['the operator crashes before the status', (life) => life.reconcile({ crashAfterWrites: 9 })],
  ['the operator restarts', (life) => life.restartOperator()],
  ['garbage is collected', (life) => life.cluster.collectGarbage()],
  ['half a minute passes', (life) => (life.cluster.seconds += 30)],
  ['the pod is deleted', (life) => life.running().forEach((pod) => life.cluster.remove(pod))],
  ['the pod is killed', (life) => life.kill()],
  ['the pod is killed after its result was committed', (life) => life.kill('Committed')],
  ['the engine fails', (life) => life.fail(70, 'EngineFailed')],
  ['the newest Job is deleted', (life) => life.cluster.jobs().slice(-1).forEach((job) => life.cluster.remove(job))],
  ['it is suspended', (life) => life.cluster.setSuspend(true)],
  ['it is resumed', (life) => life.cluster.setSuspend(false)],
  ['CUDA runs out of memory', (life) => life.fail(67, 'CUDAOutOfMemory')],
  ['its budget is two minutes more than it used', (life) => life.cluster.setBudget({ maxDuration: `${(life.status.cost?.seconds ?? 0) + 120}s` })],
  ['its budget is a little money', (life) => life.cluster.setBudget({ maxCost: '0.3' })],
  ['its budget is lifted', (life) => life.cluster.setBudget(undefined)],
  ['the store goes down', (life) => (life.storeIsDown = true)],
  ['the store comes back', (life) => (life.storeIsDown = false)],
]

const action = fc.oneof(fc.constantFrom(...everyday), fc.constantFrom(...unusual)) // half of each, so that stories get somewhere
const actions = fc.array(action, { minLength: 20, maxLength: 80, size: 'max' })

/** Runs the story, checking after each step; the names of the steps are what a failure shows. */
async function live(story: readonly Action[], spec: Partial<TrainingRunSpec> = {}): Promise<SimulatedLife> {
  const life = new SimulatedLife({ compute: { pool: 'a100' }, batch: { perDevice: 4 }, ...spec })
  for (const [, does] of story) {
    const before = life.status
    await does(life)
    expectOneLiveJob(life)
    expectOnward(before, life.status)
    expect(life.releasedUnrecorded).toEqual([])
    expect(life.reusedNumbers).toEqual([])
  }
  return life
}

function expectOneLiveJob({ cluster }: SimulatedLife): void {
  const jobs = cluster.jobs().filter((job) => job.metadata.labels?.[ROLE] === 'train' && !finishOf(job) && job.metadata.deletionTimestamp === undefined)
  const pods = cluster.pods().filter((pod) => pod.metadata.labels?.[ROLE] === 'train' && !isTerminal(pod))
  expect(jobs.length).toBeLessThanOrEqual(1)
  expect(pods.length).toBeLessThanOrEqual(1)
}

/** What the status may never take back. */
function expectOnward(before: TrainingRunStatus, after: TrainingRunStatus): void {
  if (before.progress && before.progress.attempt === after.progress?.attempt) {
    expect(after.progress.step).toBeGreaterThanOrEqual(before.progress.step)
    expect(after.progress.percent).toBeGreaterThanOrEqual(before.progress.percent)
  }
  for (const record of before.attempts ?? []) {
    if (record.state !== 'Running') expect(after.attempts).toContainEqual(record)
  }
  for (const part of ['seconds', 'gpuSeconds', 'amount'] as const) expect(Number(after.cost?.[part] ?? 0)).toBeGreaterThanOrEqual(Number(before.cost?.[part] ?? 0))
  expect(sumOfCosts(after)).toBeLessThanOrEqual(millionths(after.cost?.amount ?? '0'))
  if (isFinished({ status: before })) expect(after.state).toBe(before.state)
}

function sumOfCosts({ attempts = [] }: TrainingRunStatus): bigint {
  return attempts.reduce((sum, { cost = '0' }) => sum + millionths(cost), 0n)
}

const PATIENCE = { timeout: 60_000 } // many short lives, on a machine that may be busy with other things

describe('whatever happens to a run', PATIENCE, () => {
  it('has one live training Job at most, and takes nothing back', async () => {
    await fc.assert(fc.asyncProperty(actions, async (story) => void (await live(story))), { numRuns: 80 })
  })

  it('comes to its end once it is left alone', async () => {
    await fc.assert(fc.asyncProperty(actions, async (story) => {
      const life = await live(story)
      life.cluster.setSuspend(false)
      life.cluster.setBudget(undefined)
      life.storeIsDown = false
      await life.goOn(40)
      expect(isFinished(life)).toBe(true)
      if (isComplete(life)) expect(life.status.progress?.percent).toBe(100)
      expect(life.cluster.pods().flatMap(({ metadata }) => metadata.finalizers ?? [])).toEqual([])
    }), { numRuns: 30 })
  })

  it('is planned the same from the same observation', async () => {
    await fc.assert(fc.asyncProperty(actions, async (story) => {
      const life = await live(story)
      expect(await life.plan()).toEqual(await life.plan())
    }), { numRuns: 30 })
  })

  it('comes to rest: after a few passes there is nothing left to write', async () => {
    await fc.assert(fc.asyncProperty(actions, async (story) => (await live(story)).settle()), { numRuns: 30 })
  })

  it('leaves nothing behind when it is deleted', async () => {
    await fc.assert(fc.asyncProperty(actions, async (story) => {
      const life = await live(story)
      life.cluster.run = undefined
      for (let round = 0; round < 6; round += 1) {
        await life.reconcile()
        life.cluster.collectGarbage()
        life.runKubelet()
      }
      expect(life.cluster.children()).toEqual([])
    }), { numRuns: 30 })
  })
})

describe('a run that publishes', PATIENCE, () => {
  it('is complete with its result on the hub, or fails before it has one', async () => {
    const publish = { hub: { repo: 'team/tuned', tokenSecretRef: { name: 'hub' } } }
    await fc.assert(fc.asyncProperty(actions, async (story) => {
      const life = await live(story, { publish })
      life.cluster.setSuspend(false)
      life.cluster.setBudget(undefined)
      life.storeIsDown = false
      await life.goOn(40)
      expect(isFinished(life)).toBe(true)
      expect([life.status.publish, life.status.artifacts].map((known) => known !== undefined)).toEqual([isComplete(life), isComplete(life)])
    }), { numRuns: 30 })
  })
})

describe('a run with a gate', PATIENCE, () => {
  const gate = { evaluation: { instances: { configMap: { name: 'held-out', key: 'rows.jsonl' }, format: 'SWEBench' } }, minResolvedRate: '0.30' } as const
  const trainings = (life: SimulatedLife): number => life.cluster.jobs().filter(({ metadata }) => metadata.labels?.[ROLE] === 'train').length

  it('is complete only with its gate passed, or fails before it has a result', async () => {
    await fc.assert(fc.asyncProperty(actions, async (story) => {
      const life = await live(story, { gate })
      life.cluster.setSuspend(false)
      life.cluster.setBudget(undefined)
      life.storeIsDown = false
      await life.goOn(40)
      expect(isFinished(life)).toBe(true)
      expect([life.status.gate?.passed === true, life.status.artifacts !== undefined]).toEqual([isComplete(life), isComplete(life)])
    }), { numRuns: 30 })
  })

  it('trains nothing again once it has a result, though its status is lost', async () => {
    await fc.assert(fc.asyncProperty(actions, async (story) => {
      const life = await live(story, { gate })
      life.cluster.setSuspend(false)
      life.cluster.setBudget(undefined)
      life.storeIsDown = false
      life.runKubelet()
      await life.goOn(8)
      life.loseStatus()
      const before = trainings(life)
      await life.goOn(40)
      if (life.store.has('result')) expect([isComplete(life), trainings(life)]).toEqual([true, before])
    }), { numRuns: 30 })
  })
})

describe('a run that lost its status', PATIENCE, () => {
  it('trains to the same end under numbers that were never used', async () => {
    await fc.assert(fc.asyncProperty(actions, fc.nat(80), async (story, at) => {
      const life = await live(story.slice(0, at))
      life.loseStatus()
      life.cluster.setSuspend(false)
      life.cluster.setBudget(undefined)
      life.storeIsDown = false
      await life.goOn(40)
      const numbers = life.status.attempts?.map(({ number }) => number) ?? []
      expect(isFinished(life)).toBe(true)
      expect(new Set(numbers).size).toBe(numbers.length)
    }), { numRuns: 30 })
  })
})

describe('a run that is preempted more often than its status can tell', () => {
  it('still comes to its end, and forgets the oldest attempts', async () => {
    const life = new SimulatedLife()
    for (let times = 0; times < 52; times += 1) {
      await life.bringUp()
      life.train(2)
      life.running().forEach((pod) => life.cluster.remove(pod))
      life.runKubelet()
    }
    await life.goOn(10)
    expect(life.status.state).toBe('Succeeded')
    expect(life.status.attempts?.at(-1)?.number).toBeGreaterThan(24)
    expect(life.cluster.jobs().length).toBeLessThan(25)
  })
})

describe('a run with a budget', () => {
  it('is held at it, costs what its rows say, and trains to its end once that is raised', async () => {
    const life = new SimulatedLife({ compute: { pool: 'a100' }, budget: { maxCost: '0.15' } })
    await life.goOn(12)
    expect(life.status).toMatchObject({ state: 'BudgetExceeded', attempts: [{ state: 'Suspended', reason: 'BudgetExceeded' }] })
    expect(Number(life.status.cost?.amount)).toBeGreaterThanOrEqual(0.15)
    expect(life.running()).toEqual([])
    life.cluster.setBudget({ maxCost: '10' })
    await life.goOn(12)
    expect(life.status).toMatchObject({ state: 'Succeeded', attempts: [{ number: 1 }, { number: 2, state: 'Completed' }] })
    expect(sumOfCosts(life.status)).toBe(millionths(life.status.cost?.amount ?? ''))
  })
})

describe('an undisturbed run', () => {
  it('goes through its states in order and ends current for kstatus', async () => {
    const life = new SimulatedLife()
    const states: (string | undefined)[] = []
    for (let round = 0; round < 10; round += 1) {
      await life.goOn(1)
      if (states.at(-1) !== life.status.state) states.push(life.status.state)
    }
    expect(states).toEqual(['Preparing', 'Starting', 'Running', 'Succeeded'])
    expect(life.cluster.run && kstatusOf(life.cluster.run)).toBe('Current')
    expect(life.status).toMatchObject({ data: { rows: 10 }, loss: { first: '2.31', last: '1.02' }, attempts: [{ number: 1, state: 'Completed' }] })
  })
})
