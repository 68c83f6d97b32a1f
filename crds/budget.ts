// Where a resource stops spending: the same limits for every kind, each with what it holds there.
import { z } from 'zod'
import { checked, decimal, duration, type Immutable } from './common.ts'

/** `held`: what stops, and how it goes on. Of each limit what it counts, before its example. */
export type BudgetWords = Readonly<{ held: string; maxCost: string; maxGPUHours: string; maxDuration: string }>

const RANGE = { above: 0, message: 'above 0, such as "250"' }

export function budgetSchema({ held, maxCost, maxGPUHours, maxDuration }: BudgetWords) {
  return z
    .object({
      maxCost: decimal(`${maxCost} Default: no limit.`, RANGE).optional(),
      maxGPUHours: decimal(`${maxGPUHours} Default: no limit.`, RANGE).optional(),
      maxDuration: duration(`${maxDuration} Default: no limit.`).optional(),
    })
    .meta({
      description: `Where to stop. ${held} May be changed, added and removed at any time.`,
      ...checked({ rule: 'has(self.maxCost) || has(self.maxGPUHours) || has(self.maxDuration)', message: 'at least one of maxCost, maxGPUHours and maxDuration must be set' }),
    })
}

export type Budget = Immutable<z.infer<ReturnType<typeof budgetSchema>>>
