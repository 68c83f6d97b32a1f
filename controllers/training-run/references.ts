import type { TrainingRun } from '../../crds/training-run.ts'
import { foreignSource } from '../shared/sources.ts'

/** A reference that can never be followed, for the person who wrote it. */
export function invalidReference({ metadata: { namespace = '' }, spec: { model, data } }: TrainingRun, bucket: string): string | undefined {
  return foreignSource([
    ['spec.model.s3', model.s3],
    ['spec.data.instances.s3', data.instances?.s3],
    ['spec.data.files.s3', data.files?.s3],
  ], { kind: 'TrainingRun', namespace, bucket })
}
