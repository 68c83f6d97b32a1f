// Amounts of CPU, memory and disk as Kubernetes writes them.
import { z } from 'zod'
import { checked, matching } from './common.ts'

const CPU = /^([1-9][0-9]{0,6}m|0[.][0-9]{0,2}[1-9]|[1-9][0-9]{0,3}([.][0-9]{1,3})?)$/
const MEMORY = /^[1-9][0-9]{0,6}([.][0-9]{1,3})?(Mi|Gi|Ti|M|G|T)$/

/** CPU cores, as a number or a quantity. */
export function cores(description: string) {
  return z.union([z.int().min(1).max(1024), z.string().max(16).regex(CPU)]).meta({
    description,
    'x-kubernetes-int-or-string': true,
    ...checked({ rule: `type(self) == int || ${matching(CPU, '').rule}`, message: 'must be cores or millicores, such as 2, "1.5" or "500m"' }),
  })
}

/** Bytes of memory or disk, with their unit. */
export function memory(description: string) {
  return z.string().max(16).regex(MEMORY).meta({ description, ...checked(matching(MEMORY, 'must have a unit: Mi, Gi, Ti, M, G or T, such as 4Gi')) })
}
