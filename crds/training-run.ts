// TrainingRun: one post-training of one model, from rows to adapter.
import { z } from 'zod'
import { resourceType, type KubeObject, type ObjectMeta } from '../operator/api/object.ts'
import { API_VERSION, objectMetaSchema, parseObject, type Immutable } from './common.ts'
import { trainingRunSpecSchema } from './training-run-spec.ts'
import { trainingRunStatusSchema } from './training-run-status.ts'

export const trainingRunSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('TrainingRun'),
  metadata: objectMetaSchema,
  spec: trainingRunSpecSchema,
  status: trainingRunStatusSchema.optional(),
})

export type TrainingRunSpec = Immutable<z.infer<typeof trainingRunSpecSchema>>
export type TrainingRunStatus = Immutable<z.infer<typeof trainingRunStatusSchema>>
export type TrainingRunAttempt = NonNullable<TrainingRunStatus['attempts']>[number]
export type TrainingRunProgress = NonNullable<TrainingRunStatus['progress']>
export type TrainingRunPairs = NonNullable<TrainingRunStatus['fromPreferenceGen']>
export type TrainingRunPredictions = NonNullable<TrainingRunStatus['fromEval']>
export type TrainingRunOrigin = NonNullable<TrainingRunStatus['fromRun']>
export type TrainingRunGate = NonNullable<TrainingRunSpec['gate']>
export type TrainingRunResolved = NonNullable<TrainingRunStatus['resolved']>

export type TrainingRun = Readonly<{
  apiVersion: typeof API_VERSION
  kind: 'TrainingRun'
  metadata: ObjectMeta
  spec: TrainingRunSpec
  status?: TrainingRunStatus | undefined
}>

export const TrainingRunType = resourceType<TrainingRun>({ apiVersion: API_VERSION, kind: 'TrainingRun', plural: 'trainingruns', scope: 'Namespaced' })

/** Reads a TrainingRun from the API; unknown fields are dropped. Throws UnreadableObject naming each field that does not fit. */
export function parseTrainingRun(raw: KubeObject): TrainingRun {
  return parseObject('TrainingRun', trainingRunSchema, raw)
}
