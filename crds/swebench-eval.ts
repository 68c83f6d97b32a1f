// SWEBenchEval: predictions graded by the tests of their instances, one sandbox each.
import { z } from 'zod'
import { resourceType, type KubeObject, type ObjectMeta } from '../operator/api/object.ts'
import { API_VERSION, objectMetaSchema, parseObject, type Immutable } from './common.ts'
import { sweBenchEvalSpecSchema } from './swebench-eval-spec.ts'
import { sweBenchEvalStatusSchema } from './swebench-eval-status.ts'

export const sweBenchEvalSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('SWEBenchEval'),
  metadata: objectMetaSchema,
  spec: sweBenchEvalSpecSchema,
  status: sweBenchEvalStatusSchema.optional(),
})

export type SWEBenchEvalSpec = Immutable<z.infer<typeof sweBenchEvalSpecSchema>>
export type SWEBenchEvalStatus = Immutable<z.infer<typeof sweBenchEvalStatusSchema>>

export type SWEBenchEval = Readonly<{
  apiVersion: typeof API_VERSION
  kind: 'SWEBenchEval'
  metadata: ObjectMeta
  spec: SWEBenchEvalSpec
  status?: SWEBenchEvalStatus | undefined
}>

export const SWEBenchEvalType = resourceType<SWEBenchEval>({ apiVersion: API_VERSION, kind: 'SWEBenchEval', plural: 'swebenchevals', scope: 'Namespaced' })

/** Reads a SWEBenchEval from the API; unknown fields are dropped. Throws UnreadableObject naming each field that does not fit. */
export function parseSWEBenchEval(raw: KubeObject): SWEBenchEval {
  return parseObject('SWEBenchEval', sweBenchEvalSchema, raw)
}
