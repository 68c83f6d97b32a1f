// What the programs of an evaluation say about their end: parsed here, trusted everywhere else.
import { z } from 'zod'
import type { Unit } from '../../operator/fan-out/task.ts'
import { badRowExamples, count, exitCode, frozenSchema, message, producedSchema, rate, readVerdict, reason, type Read } from '../jobs/verdict.ts'
import { cut } from '../shared/text.ts'
import { baselinesOf } from './rows.ts'

const prepareSchema = z.object({
  kind: z.literal('PrepareEval'), exitCode, reason, message,
  summary: z
    .object({
      instances: count, predictions: count, toRun: count, emptyPatches: count, withoutPrediction: count, unknownIds: count, duplicates: count, badRows: count, images: count, baselines: count.optional(), badPredictions: count.optional(), notSelected: count.optional(), pinnedImages: count.optional(),
      badRowExamples: badRowExamples.optional(),
      unpinnedImageExamples: z.array(z.object({ name: z.string().max(512), reason: z.string().transform((text) => cut(text, 512)) })).transform((all) => all.slice(0, 5)).optional(),
    })
    .optional(),
  sources: z.object({ instances: frozenSchema, predictions: frozenSchema.nullish() }).optional(),
  data: z.string().max(256).optional(),
  table: z.string().max(1024).optional(),
})

const passed = z.object({ passed: count, total: count })

const gradeSchema = z.object({
  kind: z.literal('Grade'), exitCode, reason, message,
  /** Checked is what a dry run comes to; the reason says what was found. */
  outcome: z.enum(['Resolved', 'Unresolved', 'Error', 'NotGraded', 'Checked']),
  testSeconds: z.number().min(0).optional(),
  failToPass: passed.optional(),
  passToPass: passed.optional(),
  /** Where a resolving patch changes files that tests are configured by: whether others too. */
  support: z.enum(['Part', 'All']).optional(),
})

const places = z.array(z.string().max(256)).max(64)
const probeSchema = z.object({ kind: z.literal('Probe'), exitCode, reason, message, reached: places.optional(), remarks: places.optional() })

const comparisonSchema = z.object({
  name: z.string().max(253), uid: z.string().max(64).optional(), instances: count.optional(), difference: rate.optional(), low: rate.optional(), high: rate.optional(),
  pValue: rate.optional(), wins: count.optional(), losses: count.optional(), problem: z.string().transform((text) => cut(text, 512)).optional(),
})

const reportSchema = z.object({
  kind: z.literal('ReportEval'), exitCode, reason, message,
  dryRun: z.object({ submitted: count, checked: count, ok: count, doesNotParse: count, doesNotApply: count, doesNotCompile: count, overLimits: count, emptyPatches: count, unchecked: count }).optional(),
  summary: z
    .object({
      resolvedRate: rate, low: rate, high: rate, method: z.string().max(64), resolved: count, submitted: count, total: count, validOnly: rate.optional(),
      passAtK: z.array(z.object({ k: z.int().min(1), value: rate })).optional(),
      passHatK: z.array(z.object({ k: z.int().min(1), value: rate })).optional(),
      auditedRate: rate.optional(),
      integrity: z.object({ clean: count, suspicious: count, tampered: count, unknown: count }).optional(),
      leaks: z.object({ scanned: count, leaking: count }).optional(),
      flakes: z.object({ rerun: count, disagreeing: count, resolvedByVote: count }).optional(),
      repositories: z.array(z.object({ name: z.string().max(256), total: count, resolved: count })).transform((all) => all.slice(0, 64)).optional(),
      comparisons: z.array(comparisonSchema).transform((all) => all.slice(0, 8)).optional(),
    })
    .optional(),
  artifacts: z.array(producedSchema).transform((all) => all.slice(0, 64)).optional(),
})

export type PrepareVerdict = Readonly<z.infer<typeof prepareSchema>>
export type GradeVerdict = Readonly<z.infer<typeof gradeSchema>>
export type ProbeVerdict = Readonly<z.infer<typeof probeSchema>>
export type ReportVerdict = Readonly<z.infer<typeof reportSchema>>

export function readPrepareVerdict(raw: unknown): Read<PrepareVerdict> {
  return readVerdict(prepareSchema, raw)
}

export function readGradeVerdict(raw: unknown): Read<GradeVerdict> {
  return readVerdict(gradeSchema, raw)
}

export function readProbeVerdict(raw: unknown): Read<ProbeVerdict> {
  return readVerdict(probeSchema, raw)
}

export function readReportVerdict(raw: unknown): Read<ReportVerdict> {
  return readVerdict(reportSchema, raw)
}

const indexSchema = z
  .object({
    version: z.literal(1),
    instances: z.array(z.object({ id: z.string().max(256), image: z.string().max(600) })), // a name, and the digest of 72 characters that the preparation adds
    predictions: z.array(z.object({ instance: count, sample: count, kind: z.enum(['Gold', 'NoOp']).optional(), cached: z.enum(['Resolved', 'Unresolved', 'PatchApplyFailed']).optional() })),
  })
  .refine(({ predictions }) => hasBaselinesFirst(predictions), 'baselines are not before the predictions, gold and no-op of each instance')

function hasBaselinesFirst(predictions: readonly Readonly<{ instance: number; kind?: 'Gold' | 'NoOp' | undefined }>[]): boolean {
  const baselines = predictions.filter(({ kind }) => kind !== undefined).length
  return predictions.slice(0, baselines).every(({ instance, kind }, ordinal) => baselinesOf(instance)[kind === 'Gold' ? 0 : 1] === ordinal)
}

/** The predictions to grade, by ordinal, and the instances they are for. Those with a kind are baselines; those that are cached have a verdict already, and get no sandbox. */
export type Index = Readonly<z.infer<typeof indexSchema>>

/** Which instance a prediction is for; undefined for an ordinal that is none. */
export function instanceIn({ instances, predictions }: Index, { ordinal }: Unit): Index['instances'][number] | undefined {
  const place = predictions[ordinal]?.instance
  return place === undefined ? undefined : instances[place]
}

/** Throws a ZodError for anything else. */
export function readIndex(raw: unknown): Index {
  return indexSchema.parse(raw)
}
