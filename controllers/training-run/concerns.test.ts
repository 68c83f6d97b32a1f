import { describe, expect, it } from 'vitest'
import type { TrainingRunStatus } from '../../crds/training-run.ts'
import { conditionOf } from '../../operator/meta/conditions.ts'
import { toSeconds } from '../../operator/meta/time.ts'
import { ended, outcome } from '../../test/world/planned.ts'
import { afterNoon, aPricedObservation, aRecord, preempted, type Observation } from '../../test/world/training-run.ts'
import { plan } from './plan.ts'

const running = { kind: 'Running' } as const
const report = (seconds: number, etaSeconds = 500) => ({ attempt: 1, step: 10, totalSteps: 60, percent: 16, etaSeconds, updatedTime: toSeconds(afterNoon(seconds)) })
const pace = (secondsPerStep: number) => ({ attempt: 1, secondsPerStep, intervals: 5 })
const conditionIn = (seen: Observation, type: string) => conditionOf((plan(seen).status as TrainingRunStatus).conditions, type)
const warnings = (seen: Observation) => plan(seen).events.filter(({ type }) => type === 'Warning').map(({ reason }) => reason)
const shown = (seen: Observation) => seen.inState('Running', plan(seen).status)

const training = aPricedObservation().withData().attempt(1, running, aRecord(1, 'Running')).with({ progress: report(0), pace: pace(3) }).inState('Running')

describe('a run that goes silent', () => {
  it('is so after five minutes, or ten of its own steps', () => {
    expect([299, 300].map((seconds) => conditionIn(training.later(seconds), 'Silent')?.status)).toEqual([undefined, 'True'])
    const slow = training.with({ pace: pace(60) })
    expect([599, 600].map((seconds) => conditionIn(slow.later(seconds), 'Silent')?.status)).toEqual([undefined, 'True'])
  })

  it('says so in its message, with what comes of it', () => {
    expect(outcome(training.later(301))).toMatchObject({ state: 'Running', message: expect.stringMatching(/step 10 of 60, 16 %[.] Its last report came at 2026-01-01T12:00:00Z[.] A step usually takes 3[.]0 s[.] .*1800 s \(spec[.]retries[.]stallAfterSeconds\)/) })
  })

  it('warns once', () => {
    expect(warnings(training.later(299))).toEqual([])
    expect(warnings(training.later(301))).toEqual(['Silent'])
    expect(warnings(shown(training.later(301)).later(600))).toEqual([])
  })

  it('is back to normal when it reports, and can warn again', () => {
    const back = shown(training.later(301)).with({ progress: report(310) })
    expect(conditionIn(back, 'Silent')).toBeUndefined()
    expect(warnings(shown(back).later(1000))).toEqual(['Silent'])
  })

  it('is judged by nothing that this operator did not hear itself', () => {
    const { progress: _, ...restarted } = shown(training).later(9000)
    expect(plan(restarted).events).toEqual([])
  })

  it('stays so through a restart of the operator', () => {
    const { progress: _, ...restarted } = shown(training.later(301)).later(9000)
    expect(plan(restarted).status).toMatchObject({ conditions: expect.arrayContaining([expect.objectContaining({ type: 'Silent', status: 'True' })]) })
    expect(plan(restarted).events).toEqual([])
  })

  it('is not silent once it ends', () => {
    const over = shown(training.later(301)).with({ attempts: training.with({ attempts: [] }).attempt(1, ended(preempted(1, { from: 0, to: 12 }))).attempts })
    expect(conditionIn(over, 'Silent')).toBeUndefined()
  })
})

describe('a run that will exceed its budget', () => {
  const atRisk = aPricedObservation({ budget: { maxCost: '0.5', maxDuration: '9m' } })
    .withData().attempt(1, running, aRecord(1, 'Running')).with({ progress: report(100), pace: pace(10) }).inState('Running').later(100)

  it('says so as soon as its pace is known, and names the limits', () => {
    expect(outcome(atRisk)).toMatchObject({
      state: 'Running', writes: [],
      message: expect.stringContaining('At this pace the whole run takes 0.6000 of 0.5 USD (spec.budget.maxCost) and 10m of 9m (spec.budget.maxDuration)'),
    })
    expect(conditionIn(atRisk, 'BudgetAtRisk')).toMatchObject({ status: 'True', reason: 'EstimateExceedsBudget' })
  })

  it('warns once', () => {
    expect(warnings(atRisk)).toEqual(['BudgetAtRisk'])
    expect(warnings(shown(atRisk).later(5))).toEqual([])
  })

  it('is no longer at risk when it got faster, or the budget was raised', () => {
    expect(conditionIn(shown(atRisk).with({ progress: report(100, 300) }), 'BudgetAtRisk')).toBeUndefined()
    const raised = { ...atRisk.run, spec: { ...atRisk.run.spec, budget: { maxCost: '5' } } }
    expect(conditionIn(shown(atRisk).with({ run: raised }), 'BudgetAtRisk')).toBeUndefined()
  })

  it('is not judged by one interval', () => {
    expect(conditionIn(atRisk.with({ pace: { ...pace(10), intervals: 2 } }), 'BudgetAtRisk')).toBeUndefined()
  })
})

describe('a run that a queue sent to a part of a GPU', () => {
  const unfit = 'its GPUs are shared with other pods (nvidia.com/gpu.sharing-strategy=time-slicing)'
  const sent = training.with({ attempts: training.attempts.map((attempt) => ({ ...attempt, unfit })), resolved: { ...training.resolved, queueName: 'team' } })

  it('warns once, names queue, node and label, and says what to do', () => {
    const message = `Queue team chose node node-1, but ${unfit}. Give the ResourceFlavor nodes with whole GPUs of their own, and suspend and resume the run to leave this one.`
    expect(conditionIn(sent, 'UnfitNode')).toMatchObject({ status: 'True', reason: 'PartialGPUs', message })
    expect(warnings(sent)).toEqual(['UnfitNode'])
    expect(warnings(shown(sent))).toEqual([])
  })

  it('does not mind without a GPU', () => {
    expect(conditionIn(sent.with({ resolved: { ...sent.resolved, gpusPerNode: 0 } }), 'UnfitNode')).toBeUndefined()
  })
})
