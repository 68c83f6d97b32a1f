import { describe, expect, it } from 'vitest'
import type { PreferenceGen } from '../../crds/preference-gen.ts'
import type { TrainingRun, TrainingRunSpec, TrainingRunStatus } from '../../crds/training-run.ts'
import { setConditions } from '../../operator/meta/conditions.ts'
import { outcome } from '../../test/world/planned.ts'
import { anObservation, NOON } from '../../test/world/training-run.ts'
import { trainingRunKinds } from './controller.ts'
import { describePairs } from './from-preferences.ts'
import { plan } from './plan.ts'
import { buildInputs } from './resources/config-map.ts'

const spec: Partial<TrainingRunSpec> = { method: 'DPO', data: { preferences: { fromPreferenceGen: { name: 'pairs' } } } }
const URI = 's3://swe-operator/team/gen-uid/report/p/preferences-chat.jsonl'
const waiting = (status?: TrainingRunStatus) => anObservation(spec).with(status === undefined ? {} : { run: { ...anObservation(spec).run, status } })

/** A PreferenceGen that is over, with so many pairs. */
function finished(state: 'Complete' | 'Failed', pairs = 6): PreferenceGen {
  const conditions = setConditions(undefined, [{ type: state, status: 'True', reason: state, message: '', observedGeneration: 1 }], NOON)
  const counts = { instances: 4, samples: 19, uniquePatches: 13, resolved: 6, allPass: 0, allFail: 1, withPairs: 3, pairs }
  return {
    apiVersion: 'swe-operator.dev/v1alpha1', kind: 'PreferenceGen', metadata: { namespace: 'team', name: 'pairs', uid: 'gen-uid' },
    spec: { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWESmith' }, predictions: { configMap: { name: 'rows', key: 'preds.jsonl' } } },
    status: { state: state === 'Failed' ? 'GradingFailed' : 'Succeeded', conditions, counts, artifacts: [{ name: 'preferences-chat.jsonl', uri: URI, sha256: 'a'.repeat(64), sizeBytes: 9, createdTime: '2026-01-01T12:00:00Z' }] },
  }
}

describe('a run that learns from a PreferenceGen', () => {
  it.each([
    ['there is none of that name', waiting(), 'There is no PreferenceGen pairs in this namespace'],
    ['it grades', waiting().with({ referredPreferences: { ...finished('Complete'), status: { state: 'Grading' } } }), 'PreferenceGen pairs is Grading; this one goes on by itself'],
  ])('waits while %s, without a pod', (_why, seen, says) => {
    expect(outcome(seen)).toMatchObject({ state: 'WaitingForReference', writes: [], message: expect.stringContaining(says) })
  })

  it('takes down where the pairs lie before it makes anything of them', () => {
    const seen = waiting().with({ referredPreferences: finished('Complete') })
    expect(outcome(seen)).toMatchObject({ state: 'Preparing', writes: [], message: expect.stringContaining('its 6 pairs at') })
    expect(plan(seen).status).toMatchObject({ fromPreferenceGen: { name: 'pairs', uid: 'gen-uid', uri: URI, sha256: 'a'.repeat(64), pairs: 6 } })
  })

  it('learns from what was taken down, whatever became of the PreferenceGen', () => {
    const status = plan(waiting().with({ referredPreferences: finished('Complete') })).status as TrainingRunStatus
    const seen = waiting(status)
    expect(describePairs(seen)).toEqual(status.fromPreferenceGen)
    expect(outcome(seen)).toMatchObject({ state: 'Preparing', writes: expect.arrayContaining([expect.stringContaining('Job')]) })
    const told = JSON.parse(buildInputs(seen.run, seen.resolved, 'CA').data?.['run.json'] ?? '')
    expect(told.data).toMatchObject({ kind: 'Preferences', source: { uri: URI, credentials: 'OwnPrefix', sha256: 'a'.repeat(64) } })
  })

  it.each([
    ['has failed', finished('Failed'), 'has ended GradingFailed'],
    ['has no pair', finished('Complete', 0), 'PreferenceGen pairs is complete and has no pair to learn from'],
  ])('says so when that one %s', (_why, referredPreferences, says) => {
    expect(outcome(waiting().with({ referredPreferences }))).toMatchObject({ state: 'UnusableReference', writes: [], message: expect.stringContaining(says) })
  })

  it('is woken by it until what it needs is taken down', () => {
    const waitingFor = (run: TrainingRun) => trainingRunKinds[0]?.indexes?.['waitingFor']?.(run)
    expect(waitingFor(waiting().run)).toEqual(['PreferenceGen/team/pairs'])
    expect(waitingFor(waiting(plan(waiting().with({ referredPreferences: finished('Complete') })).status as TrainingRunStatus).run)).toEqual([])
  })
})
