import { describe, expect, it } from 'vitest'
import type { SWEBenchEval, SWEBenchEvalSpec } from '../../crds/swebench-eval.ts'
import type { TrainingRun, TrainingRunSpec, TrainingRunStatus } from '../../crds/training-run.ts'
import { setConditions } from '../../operator/meta/conditions.ts'
import { outcome } from '../../test/world/planned.ts'
import { anObservation, NOON } from '../../test/world/training-run.ts'
import { trainingRunKinds } from './controller.ts'
import { describePredictions } from './from-eval.ts'
import { plan } from './plan.ts'
import { buildInputs } from './resources/config-map.ts'

const spec: Partial<TrainingRunSpec> = { data: { trajectories: { fromEval: { name: 'samples' }, style: 'XML', maxPerInstance: 2 } } }
const URI = 's3://swe-operator/team/eval-uid/report/p/resolved.jsonl'
const FILE = { name: 'resolved.jsonl', uri: URI, sha256: 'a'.repeat(64), sizeBytes: 9, createdTime: '2026-01-01T12:00:00Z' }
const waiting = (status?: TrainingRunStatus) => anObservation(spec).with(status === undefined ? {} : { run: { ...anObservation(spec).run, status } })

/** An evaluation that is over, with so many resolved predictions. */
function finished(state: 'Complete' | 'Failed', resolved = 4, more: Partial<SWEBenchEvalSpec> = {}, artifacts = [FILE]): SWEBenchEval {
  const conditions = setConditions(undefined, [{ type: state, status: 'True', reason: state, message: '', observedGeneration: 1 }], NOON)
  return {
    apiVersion: 'swe-operator.dev/v1alpha1', kind: 'SWEBenchEval', metadata: { namespace: 'team', name: 'samples', uid: 'eval-uid' },
    spec: { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWESmith' }, predictions: { configMap: { name: 'rows', key: 'preds.jsonl' } }, ...more },
    status: { state: state === 'Failed' ? 'InvalidData' : 'Succeeded', conditions, counts: { total: 9, resolved }, artifacts },
  }
}

describe('a run that learns from what an evaluation resolved', () => {
  it.each([
    ['there is none of that name', waiting(), 'There is no SWEBenchEval samples in this namespace'],
    ['it runs', waiting().with({ referredEvaluation: { ...finished('Complete'), status: { state: 'Running' } } }), 'SWEBenchEval samples is Running; this one goes on by itself'],
  ])('waits while %s, without a pod', (_why, seen, says) => {
    expect(outcome(seen)).toMatchObject({ state: 'WaitingForReference', writes: [], message: expect.stringContaining(says) })
  })

  it('takes down where the predictions lie before it makes anything of them', () => {
    const seen = waiting().with({ referredEvaluation: finished('Complete') })
    expect(outcome(seen)).toMatchObject({ state: 'Preparing', writes: [], message: expect.stringContaining(`what it resolved at ${URI}`) })
    expect(plan(seen).status).toMatchObject({ fromEval: { name: 'samples', uid: 'eval-uid', uri: URI, sha256: 'a'.repeat(64), resolved: 4 } })
  })

  it('learns from what was taken down, whatever became of the evaluation', () => {
    const status = plan(waiting().with({ referredEvaluation: finished('Complete') })).status as TrainingRunStatus
    const seen = waiting(status)
    expect(describePredictions(seen)).toEqual(status.fromEval)
    expect(outcome(seen)).toMatchObject({ state: 'Preparing', writes: expect.arrayContaining([expect.stringContaining('Job')]) })
    const told = JSON.parse(buildInputs(seen.run, seen.resolved, 'CA').data?.['run.json'] ?? '')
    expect(told.data).toEqual({ kind: 'Trajectories', source: { uri: URI, credentials: 'OwnPrefix', sha256: 'a'.repeat(64) }, format: 'Resolved', resolved: { maxPerInstance: 2, style: 'XML', allowEvaluationSets: false }, select: { seed: 42 } })
    expect(told.sequence.lossOn).toBe('All')
  })

  it.each([
    ['has failed', finished('Failed'), 'has ended InvalidData'],
    ['resolved nothing', finished('Complete', 0, {}, []), 'SWEBenchEval samples is complete and resolved no prediction'],
    ['ran no test', finished('Complete', 0, { dryRun: true }, []), 'ran no test, because its spec.dryRun is true'],
    ['is sure of nothing', finished('Complete', 3, {}, []), 'resolved none that can be learned from'],
  ])('says so when that one %s', (_why, referredEvaluation, says) => {
    expect(outcome(waiting().with({ referredEvaluation }))).toMatchObject({ state: 'UnusableReference', writes: [], message: expect.stringContaining(says) })
  })

  it('is woken by it until what it needs is taken down', () => {
    const waitingFor = (run: TrainingRun) => trainingRunKinds[0]?.indexes?.['waitingFor']?.(run)
    expect(waitingFor(waiting().run)).toEqual(['SWEBenchEval/team/samples'])
    expect(waitingFor(waiting(plan(waiting().with({ referredEvaluation: finished('Complete') })).status as TrainingRunStatus).run)).toEqual([])
  })
})
