import { describe, expect, it } from 'vitest'
import { aRecord, anObservation, completed, preempted } from '../../test/world/training-run.ts'
import { plan } from './plan.ts'
import { readTrainVerdict, type TrainVerdict } from './verdicts.ts'

const perplexity = { value: '3.214', low: '3.041', high: '3.402', rows: 230, tokens: 51233 }
const report = { name: 'report.html', key: 'result/a1/report.html', sha256: 'b'.repeat(64), sizeBytes: 90_000 }
const best = { step: 40, evalLoss: '1.31', key: 'checkpoints/a1/step-40' }

function told(more: Partial<TrainVerdict>): TrainVerdict {
  const verdict = completed(1)
  const raw = { ...verdict, artifacts: [...(verdict.artifacts ?? []), report], ...more }
  return readTrainVerdict(JSON.stringify(raw)).verdict ?? completed(1)
}

function completedWith(more: Partial<TrainVerdict>) {
  return plan(anObservation().withData().attempt(1, { kind: 'Ended', verdict: told(more) }, aRecord(1, 'Running')))
}

function readyMessage({ status }: ReturnType<typeof plan>): string {
  const { conditions } = status as { conditions: { type: string; message: string }[] }
  return conditions.find(({ type }) => type === 'Ready')?.message ?? ''
}

describe('a completed run', () => {
  it('shows the perplexity of its result with the interval', () => {
    const done = completedWith({ perplexity })
    expect(done.status).toMatchObject({ state: 'Succeeded', perplexity })
    expect(readyMessage(done)).toContain('perplexity 3.214 (3.041 to 3.402) on the held-out rows')
  })

  it('says why it has no perplexity', () => {
    const done = completedWith({ perplexity: { reason: 'no rows were held out' } })
    expect(done.status).toMatchObject({ perplexity: { reason: 'no rows were held out' } })
    expect(readyMessage(done)).toContain('no perplexity: no rows were held out')
  })

  it('that compared answers shows accuracy and margin in place of a perplexity', () => {
    const preferences = {
      accuracy: { first: '0.5', last: '1' }, margin: { first: '0', last: '2.2' },
      evalAccuracy: { first: '0.52', last: '0.83' }, evalMargin: { first: '0.02', last: '1.31' },
    }
    const done = completedWith({ preferences, perplexity: { reason: 'it is not measured for preferences' } })
    expect(done.status).toMatchObject({
      preferences: {
        accuracy: { first: '0.5', last: '1', evalFirst: '0.52', evalLast: '0.83' },
        margin: { first: '0', last: '2.2', evalFirst: '0.02', evalLast: '1.31' },
      },
      perplexity: { reason: 'it is not measured for preferences' },
    })
    expect(readyMessage(done)).toContain(', accuracy 0.52 → 0.83 and margin 0.02 → 1.31 on the held-out pairs')
    expect(readyMessage(done)).not.toContain('perplexity')
  })

  it('that held out no pairs tells of those it was trained on', () => {
    const done = completedWith({ preferences: { accuracy: { first: '0.5', last: '1' }, margin: { first: '0', last: '2.2' } } })
    expect(readyMessage(done)).toContain(', accuracy 1 and margin 2.2 on the pairs trained on')
  })

  it('names its report', () => {
    const uri = 's3://swe-operator/team/run-uid/result/a1/report.html'
    const done = completedWith({})
    expect(readyMessage(done)).toContain(`report at ${uri}`)
    expect(done.status).toMatchObject({ artifacts: [{}, { name: 'report.html', uri }] })
  })

  it('tells which checkpoint is the best and where it lies', () => {
    expect(completedWith({ best }).status).toMatchObject({
      bestCheckpoint: { step: 40, evalLoss: '1.31', uri: 's3://swe-operator/team/run-uid/checkpoints/a1/step-40' },
    })
  })

  it('that ended early is at its end, at the step it reached', () => {
    const done = completedWith({ stoppedEarly: true, lastStep: 40 })
    expect(done.status).toMatchObject({ progress: { step: 40, totalSteps: 60, percent: 100 } })
    expect(readyMessage(done)).toContain('Trained 40 of 60 steps, ended early')
  })
})

describe('the best checkpoint so far', () => {
  it('is known before the run is complete, without a place', () => {
    const verdict = { ...preempted(1, { from: 0, to: 35 }), best: { step: 20, evalLoss: '1.4' } }
    const { status } = plan(anObservation().withData().attempt(1, { kind: 'Ended', verdict }, aRecord(1, 'Running')))
    expect(status?.['bestCheckpoint']).toEqual({ step: 20, evalLoss: '1.4' })
  })

  it('stays while the next attempt has said nothing', () => {
    const before = { bestCheckpoint: { step: 20, evalLoss: '1.4' } }
    const seen = anObservation().withData().attempt(2, { kind: 'Running' }, aRecord(2, 'Running')).inState('Running', before)
    expect(plan(seen).status).toMatchObject(before)
  })
})

describe('a verdict about the result', () => {
  it('is cut to what a status can keep', () => {
    expect(told({ perplexity: { reason: 'x'.repeat(1000) } }).perplexity?.reason).toHaveLength(256)
  })
})
