import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kstatusOf } from '../../operator/meta/kstatus.ts'
import { conditionOf } from '../../operator/meta/conditions.ts'
import type { TrainingRunProgress } from '../../crds/training-run.ts'
import { aRecord, anObservation, completed, preempted } from '../../test/world/training-run.ts'
import { plan } from './plan.ts'
import { conclude, states, type State } from './reasons.ts'
import { buildStatus } from './status.ts'

const running = { kind: 'Running' } as const

describe('the conditions', () => {
  const expected = { Progressing: 'InProgress', Held: 'InProgress', Succeeded: 'Current', Stalled: 'Failed', Failed: 'Failed' }

  it.each(Object.entries(states))('in state %s tell deployment tools the same as people', (name, { phase }) => {
    const seen = anObservation()
    const status = buildStatus(seen, conclude(name as State, 'So it is.'))
    const value = (type: string) => conditionOf(status.conditions, type)?.status
    expect(kstatusOf({ ...seen.run, status })).toBe(expected[phase])
    expect([value('Ready'), value('Complete')]).toEqual(phase === 'Succeeded' ? ['True', 'True'] : ['False', 'False'])
    expect(value('Failed')).toBe(phase === 'Failed' ? 'True' : 'False')
    expect(value('Reconciling')).toBe(phase === 'Progressing' ? 'True' : 'False')
    expect(status.state).toBe(conditionOf(status.conditions, 'Ready')?.reason)
  })

  it('say that the data is ready from the moment it is', () => {
    const before = buildStatus(anObservation(), conclude('Preparing', ''))
    const after = buildStatus(anObservation().withData(), conclude('Starting', ''))
    expect([before, after].map(({ conditions }) => conditionOf(conditions, 'DataPrepared')?.status)).toEqual(['False', 'True'])
  })

  it('keep the data ready when its Job is gone', () => {
    const status = buildStatus(anObservation().withData(), conclude('Starting', ''))
    const later = anObservation().inState('Starting', status)
    expect(conditionOf(buildStatus(later, conclude('Starting', '')).conditions, 'DataPrepared')?.status).toBe('True')
    expect(buildStatus(later, conclude('Starting', '')).data).toEqual(status.data)
  })
})

describe('progress', () => {
  const report = fc.record({ attempt: fc.integer({ min: 1, max: 3 }), step: fc.nat(60), percent: fc.nat(99) })

  it('never falls back within an attempt, whatever is reported in whatever order', () => {
    fc.assert(fc.property(fc.array(report), (reports) => {
      let seen = anObservation().withData().attempt(3, running)
      for (const one of reports) {
        const progress: TrainingRunProgress = { ...one, totalSteps: 60, updatedTime: '2026-01-01T12:00:00Z' }
        const before = seen.run.status?.progress
        const status = buildStatus(seen.with({ progress }), conclude('Running', ''))
        if (before?.attempt === status.progress?.attempt) {
          expect(status.progress?.step).toBeGreaterThanOrEqual(before?.step ?? 0)
          expect(status.progress?.percent).toBeGreaterThanOrEqual(before?.percent ?? 0)
        }
        seen = seen.inState('Running', status)
      }
    }))
  })

  it('stays when the operator restarts and has heard nothing yet', () => {
    const progress = { attempt: 1, step: 30, totalSteps: 60, percent: 50, etaSeconds: 20, updatedTime: '2026-01-01T12:00:00Z' }
    const seen = anObservation().withData().attempt(1, running, aRecord(1, 'Running')).inState('Running', { progress })
    expect(plan(seen).status).toMatchObject({ progress })
  })

  it('has no time left once the attempt is over', () => {
    const progress = { attempt: 1, step: 30, totalSteps: 60, percent: 50, etaSeconds: 20, updatedTime: '2026-01-01T12:00:00Z' }
    const ended = { kind: 'Ended', verdict: preempted(1, { from: 0, to: 35 }) } as const
    const { status } = plan(anObservation().withData().attempt(1, ended, aRecord(1, 'Running')).with({ progress }))
    expect(status).toMatchObject({ progress: { step: 35 } })
    expect(status?.['progress']).not.toHaveProperty('etaSeconds')
  })

  it('is at its end when the run is, even if nothing was ever reported', () => {
    const ended = { kind: 'Ended', verdict: completed(1) } as const
    const { status } = plan(anObservation().withData().attempt(1, ended, aRecord(1, 'Running')))
    expect(status).toMatchObject({ progress: { attempt: 1, step: 60, totalSteps: 60, percent: 100 } })
  })
})

describe('the losses', () => {
  it('keep the first of the run and take the last of the newest attempt', () => {
    const continued = { ...completed(2, 35), loss: { first: '1.50', last: '1.02' }, evalLoss: { first: '1.9', last: '1.4' } }
    const seen = anObservation().withData().attempt(2, { kind: 'Ended', verdict: continued }, aRecord(2, 'Running')).inState('Running', { loss: { first: '2.31', last: '1.60' } })
    expect(plan(seen).status).toMatchObject({ loss: { first: '2.31', last: '1.02', evalFirst: '1.9', evalLast: '1.4' } })
  })
})

describe('the preferences', () => {
  const told = { accuracy: { first: '0.7', last: '0.9' }, margin: { first: '0.4', last: '1.1' }, evalAccuracy: { first: '0.6', last: '0.8' }, evalMargin: { first: '0.3', last: '0.9' } }
  const shown = { accuracy: { first: '0.5', last: '0.7', evalFirst: '0.5' }, margin: { first: '0', last: '0.4', evalFirst: '0.1' } }

  it('keep the first of the run and take the last of the newest attempt', () => {
    const ended = { kind: 'Ended', verdict: { ...completed(2, 35), preferences: told } } as const
    const seen = anObservation().withData().attempt(2, ended, aRecord(2, 'Running')).inState('Running', { preferences: shown })
    expect(plan(seen).status).toMatchObject({
      preferences: {
        accuracy: { first: '0.5', last: '0.9', evalFirst: '0.5', evalLast: '0.8' },
        margin: { first: '0', last: '1.1', evalFirst: '0.1', evalLast: '0.9' },
      },
    })
  })

  it('stay while the next attempt has said nothing', () => {
    const seen = anObservation().withData().attempt(2, running, aRecord(2, 'Running')).inState('Running', { preferences: shown })
    expect(plan(seen).status).toMatchObject({ preferences: shown })
  })

  it('are absent from a run that compares nothing', () => {
    const { status } = plan(anObservation().withData().attempt(1, { kind: 'Ended', verdict: completed(1) }, aRecord(1, 'Running')))
    expect(status).not.toHaveProperty('preferences')
  })
})

describe('the table of attempts', () => {
  it('shows the last twenty', () => {
    const records = Array.from({ length: 25 }, (_, i) => aRecord(i + 1, 'Preempted', { lastStep: i + 1 }))
    const { status } = plan(anObservation().withData().recorded(...records))
    expect((status as { attempts: { number: number }[] }).attempts.map(({ number }) => number)).toEqual(Array.from({ length: 20 }, (_, i) => i + 6))
  })
})

describe('events', () => {
  it('tell of a new state, once', () => {
    const first = anObservation()
    expect(plan(first).events).toMatchObject([{ type: 'Normal', reason: 'Preparing', action: 'PrepareData' }])
    expect(plan(first.preparing(running).inState('Preparing')).events).toEqual([])
  })

  it('tell how an attempt ended, and what follows', () => {
    const ended = { kind: 'Ended', verdict: preempted(1, { from: 0, to: 35 }) } as const
    const seen = anObservation().withData().attempt(1, ended, aRecord(1, 'Running')).inState('Running')
    expect(plan(seen).events).toMatchObject([
      { type: 'Normal', reason: 'Preempted', action: 'EndAttempt', note: 'Attempt 1 ended at step 35: The program says Preempted.' },
      { type: 'Normal', reason: 'Retrying', action: 'Retry' },
    ])
  })

  it('warn of what needs somebody', () => {
    expect(plan(anObservation({ model: { s3: { uri: 's3://other/model' } } })).events).toMatchObject([{ type: 'Warning', reason: 'InvalidReference' }])
  })
})
