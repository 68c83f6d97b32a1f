// Where a resource stops spending: the same limits for every kind, each with what it holds there.
import { z } from 'zod'
import { checked, decimal, duration, type Immutable, type Rule } from './common.ts'

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

/** Of a kind that grades patches, those of a model that it asks among them. */
export const ASKER_BUDGET: BudgetWords = {
  held: 'Where a limit is reached, the server of the model and the pod that asks it are taken down, sandboxes that run finish, and none starts; raising the limit goes on with the samples and verdicts that are missing.',
  maxCost: 'Most that serving the model may cost, in the currency of the operator, as a string such as "250". Needs generation.serving with a pool that has a price; sandboxes have none.',
  maxGPUHours: 'Most GPU-hours of serving the model, as a string such as "64". Needs generation.serving with a pool.',
  maxDuration: 'Longest time for which pods may have a node to serve the model and tests may run in sandboxes, all added up (ten sandboxes at once take ten minutes in one), such as 8h, 90m or 1h30m.',
}

/** On its specification: what else it runs has neither GPUs nor a price. */
export const gpusToLimit: Rule = {
  rule: '!has(self.budget) || (!has(self.budget.maxCost) && !has(self.budget.maxGPUHours)) || (has(self.generation) && has(self.generation.serving) && has(self.generation.serving.pool))',
  message: 'maxCost and maxGPUHours limit a model that is served on GPUs: without generation.serving.pool use maxDuration',
  fieldPath: '.budget',
}
