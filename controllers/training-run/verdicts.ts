// What the programs in pods say about their end: parsed here, trusted everywhere else.
import { z } from 'zod'
import { cut } from '../shared/text.ts'

const MESSAGE_MAX = 1024 // 20 attempts of it stay far below what etcd takes for one object
const METRIC_MAX = 64

const message = z.string().transform((text) => cut(text, MESSAGE_MAX))
const reason = z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,62}$/)
const count = z.int().min(0)
const exitCode = z.int().min(0).max(255)
const lossText = z.string().max(METRIC_MAX)

const summarySchema = z.object({
  rows: count,
  train: count,
  test: count,
  badRows: count,
  badRowExamples: z.array(z.object({ row: count, reason: z.string().transform((text) => cut(text, 512)) })).transform((all) => all.slice(0, 5)).optional(),
  tokens: z.object({ p50: count, p90: count, max: count }).optional(),
  truncatedPercent: z.string().max(16).optional(),
  duplicatesAcrossSplit: count.optional(),
  leakedAcrossSplit: count.optional(),
  goldInPrompt: count.optional(),
  goldInPromptExamples: z.array(z.string().max(256)).transform((all) => all.slice(0, 5)).optional(),
  repositories: z.array(z.object({ name: z.string().max(256), rows: count })).transform((all) => all.slice(0, 10)).optional(),
})

const frozenSchema = z.object({ uri: z.string().max(2048), revision: z.string().max(256).nullish(), sha256: z.string().max(64).nullish() })

const prepareSchema = z.object({
  kind: z.literal('Prepare'), exitCode, reason, message,
  summary: summarySchema.optional(),
  sources: z.object({ model: frozenSchema, data: frozenSchema }).optional(),
  table: z.string().max(1024).optional(),
})

const producedSchema = z.object({
  name: z.string().min(1).max(512),
  key: z.string().min(1).max(1024),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: count,
})

const lossSchema = z.object({ first: lossText, last: lossText }).partial()

const perplexitySchema = z
  .object({ value: lossText, low: lossText, high: lossText, rows: count, tokens: count, reason: z.string().transform((text) => cut(text, 256)) })
  .partial()

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
  loss: lossSchema.nullish(),
  evalLoss: lossSchema.nullish(),
  perplexity: perplexitySchema.optional(),
  best: bestSchema.optional(),
  stoppedEarly: z.boolean().optional(),
  logTail: z.array(z.string()).nullish(),
  artifacts: z.array(producedSchema).transform(shownArtifacts).nullish(),
})

const manifestSchema = z.object({
  files: z.array(z.unknown()).default([]),
  verdict: z.unknown().optional(),
})

export type PrepareVerdict = Readonly<z.infer<typeof prepareSchema>>
export type TrainVerdict = Readonly<z.infer<typeof trainSchema>>
export type Frozen = Readonly<z.infer<typeof frozenSchema>>
export type Produced = Readonly<z.infer<typeof producedSchema>>

/** Something readable, or why it is not; the text itself may still help a person. */
export type Read<T> = Readonly<{ verdict: T; unreadable?: undefined } | { verdict?: undefined; unreadable: string }>

export function readPrepareVerdict(raw: unknown): Read<PrepareVerdict> {
  return read(prepareSchema, raw)
}

export function readTrainVerdict(raw: unknown): Read<TrainVerdict> {
  return read(trainSchema, raw)
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

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // log lines or a message cut at 4096 bytes: told apart from nothing by the caller, who has the text
  }
}
