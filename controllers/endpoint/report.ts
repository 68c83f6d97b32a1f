import { z } from 'zod'

/** One progress report as we keep it: names and values short and printable, at most 32 metrics. */
export type Report = Readonly<{
  step?: number
  totalSteps?: number
  /** As the trainer counts it; 100 proves nothing, because a preempted trainer sends it too. */
  percent?: number
  metrics: readonly Metric[]
}>

export type Metric = Readonly<{ name: string; value: string }>

const MAX_CHARS = 64 // of a name and of a value, in UTF-16 units, as our own schema counts when it reads the status back
const MAX_METRICS = 32 // bounds the status; the whole history is an artifact
// What must not fall off the end of a long list; a comparison alone reports about thirty.
const COMPARED = ['rewards/accuracies', 'rewards/margins', 'logps/chosen', 'logps/rejected']
const FIRST = ['loss', 'eval_loss', 'reward', 'learning_rate', 'grad_norm', ...COMPARED, ...COMPARED.map((name) => `eval_${name}`)]
const HALF_CHARACTER = /[\ud800-\udbff]$/ // what a cut leaves of a character outside the basic plane
const STEP = 'current_step'
const TOTAL_STEPS = 'total_steps'

const bodySchema = z.object({
  trainerStatus: z.object({ progressPercentage: z.unknown(), metrics: z.unknown() }).partial().nullish(),
})

/** Reads a body of the Kubeflow protocol. Undefined if it reports nothing; `problem` if it is no such body at all. */
export function readReport(body: unknown): Readonly<{ report: Report | undefined } | { problem: string }> {
  const parsed = bodySchema.safeParse(body)
  if (!parsed.success) return { problem: 'The body must be an object with trainerStatus.' }
  const status = parsed.data.trainerStatus
  if (!status || Object.keys(status).length === 0) return { report: undefined }

  const all = metricsOf(status.metrics)
  const step = count(all.get(STEP))
  const totalSteps = count(all.get(TOTAL_STEPS))
  const percent = count(status.progressPercentage)
  return {
    report: {
      ...(step === undefined ? {} : { step }),
      ...(totalSteps === undefined || totalSteps === 0 ? {} : { totalSteps }),
      ...(percent === undefined ? {} : { percent: Math.min(percent, 100) }),
      metrics: kept(all),
    },
  }
}

/** By name, the last of a name wins: two entries of one name would make the status unwritable. */
function metricsOf(raw: unknown): ReadonlyMap<string, string> {
  const metrics = new Map<string, string>()
  for (const entry of Array.isArray(raw) ? raw.slice(0, 256) : []) {
    const { name, value } = metricSchema.safeParse(entry).data ?? {}
    if (name !== undefined && name !== '' && value !== undefined && value !== '') metrics.set(name, value)
  }
  return metrics
}

const shortText = z.union([z.string(), z.number(), z.boolean()]).transform((value) => printable(String(value)))
const metricSchema = z.object({ name: shortText, value: shortText })

function kept(all: ReadonlyMap<string, string>): readonly Metric[] {
  const rank = (name: string): number => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length)
  return [...all]
    .filter(([name]) => name !== STEP && name !== TOTAL_STEPS)
    .sort(([one], [other]) => rank(one) - rank(other))
    .slice(0, MAX_METRICS)
    .map(([name, value]) => ({ name, value }))
}

/** Control, format and unassigned characters and lone surrogates go; `nan` and `inf` are text like any other. */
function printable(text: string): string {
  const clean = text.slice(0, 4 * MAX_CHARS).replaceAll(/\p{C}/gu, '').trim()
  return clean.slice(0, MAX_CHARS).replace(HALF_CHARACTER, '').trim()
}

function count(raw: unknown): number | undefined {
  const value = Math.floor(Number(raw ?? Number.NaN))
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
