// What the programs that fetch and ask a model say about their end: parsed here, trusted everywhere else.
import { z } from 'zod'
import { count, exitCode, frozenSchema, message, readVerdict, reason, type Read } from '../jobs/verdict.ts'

const fetchSchema = z.object({
  kind: z.literal('Fetch'), exitCode, reason, message,
  sources: z.object({ model: frozenSchema }).optional(),
})

const generateSchema = z.object({
  kind: z.literal('Generate'), exitCode, reason, message,
  summary: z.object({ instances: count, samples: count, generated: count, givenUp: count, withoutPatch: count, refused: count.optional(), truncated: count, repaired: count, codeFilesCut: count.optional(), evaluationSets: count, contaminated: count.optional(), badRows: count, retries: count, promptTokens: count, completionTokens: count }).optional(),
  sources: z.object({ instances: frozenSchema }).optional(),
  predictions: z.string().max(256).optional(),
})

export type FetchVerdict = Readonly<z.infer<typeof fetchSchema>>
export type GenerateVerdict = Readonly<z.infer<typeof generateSchema>>

export function readFetchVerdict(raw: unknown): Read<FetchVerdict> {
  return readVerdict(fetchSchema, raw)
}

export function readGenerateVerdict(raw: unknown): Read<GenerateVerdict> {
  return readVerdict(generateSchema, raw)
}
