// What the programs in pods say about their end: parsed here, trusted everywhere else.
import { z } from 'zod'
import { badRowExamples, count, exitCode, fromJson, frozenSchema, message, producedSchema, readVerdict, reason, type Produced } from '../jobs/verdict.ts'
import { cut } from '../shared/text.ts'

const METRIC_MAX = 64

const lossText = z.string().max(METRIC_MAX)

const summarySchema = z.object({
  rows: count,
  train: count,
  test: count,
  badRows: count,
  badRowExamples: badRowExamples.optional(),
  tokens: z.object({ p50: count, p90: count, max: count }).optional(),
  truncatedPercent: z.string().max(16).optional(),
  duplicatesAcrossSplit: count.optional(),
  leakedAcrossSplit: count.optional(),
  goldInPrompt: count.optional(),
  goldInPromptExamples: z.array(z.string().max(256)).transform((all) => all.slice(0, 5)).optional(),
  repositories: z.array(z.object({ name: z.string().max(256), rows: count })).transform((all) => all.slice(0, 10)).optional(),
})

const prepareSchema = z.object({
  kind: z.literal('Prepare'), exitCode, reason, message,
  summary: summarySchema.optional(),
  sources: z.object({ model: frozenSchema, data: frozenSchema }).optional(),
  table: z.string().max(1024).optional(),
})

/** Of the history, at its beginning and at its end. */
const changeSchema = z.object({ first: lossText, last: lossText }).partial()

const perplexitySchema = z
  .object({ value: lossText, low: lossText, high: lossText, rows: count, tokens: count, reason: z.string().transform((text) => cut(text, 256)) })
  .partial()

const preferencesSchema = z.object({ accuracy: changeSchema, margin: changeSchema, evalAccuracy: changeSchema, evalMargin: changeSchema }).partial()

const bestSchema = z.object({ step: count, evalLoss: lossText, key: z.string().min(1).max(1024).optional() })

const trainSchema = z.object({
  kind: z.literal('Train'),
  exitCode,
  reason,
  message,
  attempt: count.optional(),
  podUid: z.string().max(64).optional(),
  fromStep: count.optional(),
  lastStep: count.optional(),
  checkpointStep: count.nullish(),
  totalSteps: count.optional(),
  microBatch: z.int().min(1).nullish(),
  seconds: count.nullish(),
  loss: changeSchema.nullish(),
  evalLoss: changeSchema.nullish(),
  preferences: preferencesSchema.nullish(),
  perplexity: perplexitySchema.optional(),
  best: bestSchema.optional(),
  stoppedEarly: z.boolean().optional(),
  logTail: z.array(z.string()).nullish(),
  artifacts: z.array(producedSchema).transform(shownArtifacts).nullish(),
})

const publishSchema = z.object({ kind: z.literal('Publish'), exitCode, reason, message, url: z.string().max(2048).optional(), revision: z.string().max(256).optional() })

const manifestSchema = z.object({
  files: z.array(z.unknown()).default([]),
  verdict: z.unknown().optional(),
})

export type PrepareVerdict = Readonly<z.infer<typeof prepareSchema>>
export type TrainVerdict = Readonly<z.infer<typeof trainSchema>>
export type PublishVerdict = Readonly<z.infer<typeof publishSchema>>
export type Frozen = Readonly<z.infer<typeof frozenSchema>>

/** Something readable, or why it is not; the text itself may still help a person. */
export type Read<T> = Readonly<{ verdict: T; unreadable?: undefined } | { verdict?: undefined; unreadable: string }>

export function readPrepareVerdict(raw: unknown): Read<PrepareVerdict> {
  return read(prepareSchema, raw)
}

export function readTrainVerdict(raw: unknown): Read<TrainVerdict> {
  return read(trainSchema, raw)
}

export function readPublishVerdict(raw: unknown): Readonly<{ verdict?: PublishVerdict }> {
  return readVerdict(publishSchema, raw)
}

/** The prepared data as its commit marker in the store states it; a marker whose verdict cannot be read still commits. */
export function readDataManifest(raw: unknown): PrepareVerdict {
  const manifest = manifestSchema.safeParse(raw)
  const { verdict } = readPrepareVerdict(manifest.data?.verdict)
  return verdict ?? { kind: 'Prepare', exitCode: 0, reason: 'Completed', message: 'The prepared data lies in the store.' }
}

/** The finished training as its completion marker in the store states it. */
export function readResultManifest(raw: unknown): TrainVerdict {
  const manifest = manifestSchema.safeParse(raw)
  const { verdict } = readTrainVerdict(manifest.data?.verdict)
  if (verdict?.exitCode === 0) return verdict
  const artifacts = (manifest.data?.files ?? []).flatMap(producedBy)
  return { kind: 'Train', exitCode: 0, reason: 'Completed', message: 'The result lies in the store.', artifacts: shownArtifacts(artifacts) }
}

function producedBy(file: unknown): readonly Produced[] {
  const { key } = z.object({ key: z.string() }).safeParse(file).data ?? {}
  const produced = producedSchema.safeParse({ ...Object(file), name: key === undefined ? '' : nameOf(key) }).data
  return produced === undefined ? [] : [produced]
}

const ARTIFACTS_SHOWN = 64 // the bound of the CRD, which also refuses a status that names one twice

function shownArtifacts(artifacts: readonly Produced[]): Produced[] {
  return [...new Map(artifacts.map((one) => [one.name, one])).values()].slice(0, ARTIFACTS_SHOWN)
}

/** `result/a2/adapter/config.json` → `adapter/config.json`: the name does not tell which attempt made it. */
function nameOf(key: string): string {
  return key.replace(/^result\/a\d+(-\d+)?\//, '')
}

function read<T>(schema: z.ZodType<T>, raw: unknown): Read<T> {
  const json = typeof raw === 'string' ? fromJson(raw) : raw
  if (json === undefined || json === null) return { unreadable: 'no verdict was left' }
  const parsed = schema.safeParse(json)
  if (parsed.success) return { verdict: parsed.data }
  const [issue] = parsed.error.issues
  return { unreadable: `the verdict does not have the agreed form (${issue?.path.join('.')}: ${issue?.message})` }
}
