import { z } from 'zod'
import type { KubeObject } from '../api/object.ts'

/** What Flux, Argo CD's generic checks and `helm --wait` conclude about an object. */
export type KStatus = 'InProgress' | 'Failed' | 'Terminating' | 'Current'

const statusSchema = z.looseObject({
  observedGeneration: z.number().optional(),
  conditions: z.array(z.looseObject({ type: z.string(), status: z.string() })).optional(),
})

/** The kstatus rules for kinds it does not know, so that tests can say what a deployment tool will see. */
export function kstatusOf(object: KubeObject & Readonly<{ status?: unknown }>): KStatus {
  if (object.metadata.deletionTimestamp !== undefined) return 'Terminating'
  const status = statusSchema.parse(object.status ?? {})
  const has = (type: string, value: string): boolean =>
    status.conditions?.some((condition) => condition.type === type && condition.status === value) ?? false
  if (status.observedGeneration !== undefined && status.observedGeneration !== object.metadata.generation) return 'InProgress'
  if (has('Stalled', 'True')) return 'Failed'
  if (has('Reconciling', 'True')) return 'InProgress'
  return has('Ready', 'False') || has('Ready', 'Unknown') ? 'InProgress' : 'Current'
}
