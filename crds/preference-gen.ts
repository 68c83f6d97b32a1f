// PreferenceGen: pairs of a better and a worse patch, told apart by the tests of their instance.
import { z } from 'zod'
import { resourceType, type KubeObject, type ObjectMeta } from '../operator/api/object.ts'
import { API_VERSION, objectMetaSchema, parseObject, type Immutable } from './common.ts'
import { preferenceGenSpecSchema } from './preference-gen-spec.ts'
import { preferenceGenStatusSchema } from './preference-gen-status.ts'

export const preferenceGenSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('PreferenceGen'),
  metadata: objectMetaSchema,
  spec: preferenceGenSpecSchema,
  status: preferenceGenStatusSchema.optional(),
})

export type PreferenceGenSpec = Immutable<z.infer<typeof preferenceGenSpecSchema>>
export type PreferenceGenStatus = Immutable<z.infer<typeof preferenceGenStatusSchema>>

export type PreferenceGen = Readonly<{
  apiVersion: typeof API_VERSION
  kind: 'PreferenceGen'
  metadata: ObjectMeta
  spec: PreferenceGenSpec
  status?: PreferenceGenStatus | undefined
}>

export const PreferenceGenType = resourceType<PreferenceGen>({ apiVersion: API_VERSION, kind: 'PreferenceGen', plural: 'preferencegens', scope: 'Namespaced' })

/** Reads a PreferenceGen from the API; unknown fields are dropped. Throws UnreadableObject naming each field that does not fit. */
export function parsePreferenceGen(raw: KubeObject): PreferenceGen {
  return parseObject('PreferenceGen', preferenceGenSchema, raw)
}
