// What the programs of a PreferenceGen say about their end: parsed here, trusted everywhere else.
import { z } from 'zod'
import { badRowExamples, count, exitCode, frozenSchema, message, producedSchema, rate, readVerdict, reason, type Read } from '../jobs/verdict.ts'

const prepareSchema = z.object({
  kind: z.literal('PrepareGen'), exitCode, reason, message,
  summary: z
    .object({
      instances: count, samples: count, uniquePatches: count, emptyPatches: count, withoutSample: count, unknownIds: count, duplicates: count, badRows: count, badPredictions: count, notSelected: count, evaluationSets: count,
      removed: z.array(z.object({ rule: z.string().min(1).max(64), instances: count, samples: count })).transform((all) => all.slice(0, 16)).optional(),
      decontamination: z.object({ rows: count, badRows: count, sources: z.array(frozenSchema).transform((all) => all.slice(0, 8)) }).optional(),
      badRowExamples: badRowExamples.optional(),
    })
    .optional(),
  sources: z.object({ instances: frozenSchema, predictions: frozenSchema }).optional(),
  data: z.string().max(256).optional(),
  table: z.string().max(1024).optional(),
})

const reportSchema = z.object({
  kind: z.literal('ReportGen'), exitCode, reason, message,
  summary: z
    .object({
      instances: count, samples: count, uniquePatches: count, resolved: count, allPass: count, allFail: count, withPairs: count, pairs: count,
      trainPairs: count.optional(), testPairs: count.optional(), sftRows: count.optional(), trajectoryRows: count.optional(),
      yield: rate,
      lengthRatio: rate.optional(),
      passAtK: z.array(z.object({ k: z.int().min(1), value: rate })).transform((all) => all.slice(0, 16)).optional(),
      dropped: z.array(z.object({ reason: z.string().max(64), count })).transform((all) => all.slice(0, 16)).optional(),
    })
    .optional(),
  artifacts: z.array(producedSchema).transform((all) => all.slice(0, 64)).optional(),
})

export type PrepareVerdict = Readonly<z.infer<typeof prepareSchema>>
export type ReportVerdict = Readonly<z.infer<typeof reportSchema>>

export function readPrepareVerdict(raw: unknown): Read<PrepareVerdict> {
  return readVerdict(prepareSchema, raw)
}

export function readReportVerdict(raw: unknown): Read<ReportVerdict> {
  return readVerdict(reportSchema, raw)
}
