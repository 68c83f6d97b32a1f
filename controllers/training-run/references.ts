import { PreferenceGenType } from '../../crds/preference-gen.ts'
import { SWEBenchEvalType } from '../../crds/swebench-eval.ts'
import { TrainingRunType, type TrainingRun } from '../../crds/training-run.ts'
import type { KubeObject } from '../../operator/api/object.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { waitInCircle, type Waiting } from '../shared/circles.ts'
import { isFinished } from '../shared/lifecycle.ts'
import { referenceKey } from '../shared/references.ts'
import { foreignSource } from '../shared/sources.ts'
import { awaitedEvaluation } from './from-eval.ts'
import { awaitedPreferences } from './from-preferences.ts'
import { awaitedBy } from './from-run.ts'
import type { Observed } from './observed.ts'
import { conclude } from './reasons.ts'

const FIELDS: Readonly<Record<string, string>> = { TrainingRun: 'spec.model.fromRun', PreferenceGen: 'spec.data.preferences.fromPreferenceGen', SWEBenchEval: 'spec.data.trajectories.fromEval' }
const GATE_FIELD = 'spec.gate.noWorseThan'
const CHECK_SECONDS = 60 // a circle over evaluations that are compared may open without a change of those that wait for them

/** A reference that can never be followed, for the person who wrote it. */
export function invalidReference({ metadata: { namespace = '' }, spec: { model, data, gate } }: TrainingRun, bucket: string): string | undefined {
  return foreignSource([
    ['spec.model.s3', model.s3],
    ['spec.data.instances.s3', data.instances?.s3],
    ['spec.data.files.s3', data.files?.s3],
    ['spec.data.preferences.s3', data.preferences?.s3],
    ['spec.data.trajectories.s3', data.trajectories?.s3],
    ['spec.gate.evaluation.instances.s3', gate?.evaluation.instances.s3],
  ], { kind: 'TrainingRun', namespace, bucket })
}

/** Policy: what waits for itself in the end is told so at once, whatever else it waits for. */
export function refuseCircle(seen: Observed): Verdict | undefined {
  const said = circleOf(seen)
  const remedy = fieldOf(seen.run, seen.circle?.[1]) === GATE_FIELD ? ' Or remove spec.gate to go on without.' : ''
  return said === undefined ? undefined : conclude('UnusableReference', `${said}${remedy}`, { again: CHECK_SECONDS })
}

/** Undefined where nothing waits for itself. */
export function circleOf({ run, circle }: Pick<Observed, 'run' | 'circle'>): string | undefined {
  return circle && waitInCircle(circle, fieldOf(run, circle[1]))
}

function fieldOf(run: TrainingRun, next: Waiting | undefined): string {
  const isBaseline = next?.kind === 'SWEBenchEval' && next.name === awaitedBaseline(run)
  return isBaseline ? GATE_FIELD : FIELDS[next?.kind ?? ''] ?? ''
}

/** The name of the evaluation that the one of its gate waits for, and so the run. */
function awaitedBaseline({ spec: { gate }, status }: TrainingRun): string | undefined {
  return status?.gate?.passed === undefined ? gate?.noWorseThan?.name : undefined
}

/** For the index of the cache: keys of all that a run waits for. One that is finished waits for nobody. As the API server admitted it. */
export function awaitedByRun(object: KubeObject): readonly string[] {
  const run = object as TrainingRun
  if (isFinished(run)) return []
  const { namespace = '' } = run.metadata
  const awaited = [[TrainingRunType, awaitedBy(run)], [PreferenceGenType, awaitedPreferences(run)], [SWEBenchEvalType, awaitedEvaluation(run)], [SWEBenchEvalType, awaitedBaseline(run)]] as const
  return awaited.flatMap(([type, name]) => (name === undefined ? [] : [referenceKey(type, { namespace, name })]))
}
