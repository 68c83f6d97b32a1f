import type { TrainingRun } from '../../crds/training-run.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { waitInCircle } from '../shared/circles.ts'
import { foreignSource } from '../shared/sources.ts'
import type { Observed } from './observed.ts'
import { conclude } from './reasons.ts'

const FIELDS = { TrainingRun: 'spec.model.fromRun', PreferenceGen: 'spec.data.preferences.fromPreferenceGen', SWEBenchEval: 'spec.data.trajectories.fromEval' }

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
export function refuseCircle({ circle }: Observed): Verdict | undefined {
  return circle && conclude('UnusableReference', waitInCircle(circle, FIELDS))
}
