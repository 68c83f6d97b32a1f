import type { S3Source } from '../../crds/common.ts'
import type { TrainingRun } from '../../crds/training-run.ts'

/** A reference that can never be followed, for the person who wrote it. */
export function invalidReference(run: TrainingRun, bucket: string): string | undefined {
  const { namespace = '' } = run.metadata
  const { model, data } = run.spec
  const sources: readonly (readonly [string, S3Source | undefined])[] = [
    ['spec.model.s3', model.s3],
    ['spec.data.instances.s3', data.instances?.s3],
    ['spec.data.files.s3', data.files?.s3],
  ]
  const own = `s3://${bucket}/${namespace}/`
  const foreign = sources.find(([, source]) => source !== undefined && source.secretRef === undefined && !source.uri.startsWith(own))
  if (!foreign) return undefined
  const [field, source] = foreign
  return `${field}.uri ${source?.uri} lies outside this namespace's own prefix ${own}. Name a Secret with credentials in ${field}.secretRef of a new TrainingRun, or copy it under the prefix.`
}
