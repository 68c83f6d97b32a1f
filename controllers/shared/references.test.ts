import { describe, expect, it } from 'vitest'
import { aTrainingRun, NOON } from '../../test/world/training-run.ts'
import { TrainingRunType, type TrainingRun } from '../../crds/training-run.ts'
import { setConditions } from '../../operator/meta/conditions.ts'
import { referenceKey, standingOf, wakes } from './references.ts'

function inState(state: string, ...holding: readonly string[]): TrainingRun {
  const intents = ['Complete', 'Failed'].map((type) => ({ type, status: holding.includes(type) ? 'True' : 'False', reason: state, message: '', observedGeneration: 1 } as const))
  return { ...aTrainingRun(), status: { state, conditions: setConditions(undefined, intents, NOON) } }
}

const reference = { field: 'spec.model.fromRun', kind: 'TrainingRun', name: 'sft' }

describe('what another resource names', () => {
  it.each([
    ['is nowhere', undefined, 'Awaited', 'There is no TrainingRun sft in this namespace, which spec.model.fromRun names'],
    ['was never looked at', aTrainingRun(), 'Awaited', 'TrainingRun sft is Pending; this one goes on by itself'],
    ['is under way', inState('Running'), 'Awaited', 'TrainingRun sft is Running;'],
    ['is stuck, but may go on', inState('BudgetExceeded'), 'Awaited', 'TrainingRun sft is BudgetExceeded;'],
    ['has failed', inState('Diverged', 'Failed'), 'Failed', 'TrainingRun sft, which spec.model.fromRun names, has ended Diverged'],
  ])('%s', (_where, found, is, says) => {
    expect(standingOf({ ...reference, found })).toEqual({ is, message: expect.stringContaining(says) })
  })

  it('is complete, with nothing to say', () => {
    expect(standingOf({ ...reference, found: inState('Succeeded', 'Complete') })).toEqual({ is: 'Complete' })
  })

  it('tells with a failure what a person can do', () => {
    expect(standingOf({ ...reference, found: inState('Failed', 'Failed') })).toMatchObject({ message: expect.stringContaining('Delete it and create a corrected one of that name') })
  })
})

it('wakes whoever waits for it, by kind, namespace and name', () => {
  const asked: unknown[] = []
  const by = (...what: unknown[]) => (asked.push(what), [{ metadata: { namespace: 'team', name: 'dpo' } }])
  const cache = { of: () => ({ by }) }
  expect(wakes(TrainingRunType, TrainingRunType).keys(aTrainingRun(), cache as never)).toEqual([{ namespace: 'team', name: 'dpo' }])
  expect(asked).toEqual([['waitingFor', referenceKey(TrainingRunType, { namespace: 'team', name: 'sft' })]])
})
