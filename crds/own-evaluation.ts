// What the operator writes about a SWEBenchEval that a resource orders for itself.
import { z } from 'zod'
import type { Immutable } from './common.ts'

const count = z.int().min(0)

/** `grades` says what it is for. */
export function ownEvaluationSchema(grades: string) {
  return z
    .object({
      name: z.string().max(253).describe(`Name of the SWEBenchEval that ${grades}.`),
      uid: z.string().max(64).optional().describe('Its uid.'),
      state: z.string().max(64).optional().describe('Its state.'),
      percent: z.int().min(0).max(100).optional().describe('Share of its predictions that have ended, in percent.'),
      resolved: count.optional().describe('Patches that resolve their instance so far.'),
      total: count.optional().describe('Patches that it grades.'),
    })
    .describe(`The evaluation that ${grades}; it belongs to this resource.`)
}

export type OwnEvaluation = Immutable<z.infer<ReturnType<typeof ownEvaluationSchema>>>
