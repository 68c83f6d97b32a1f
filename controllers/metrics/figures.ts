import { programState } from '../jobs/children.ts'
import type { TrainingRun, TrainingRunProgress } from '../../crds/training-run.ts'
import type { Runtime } from '../../operator/runtime.ts'
import type { ProgressBook } from '../endpoint/progress-book.ts'
import { PodType } from '../shared/kinds.ts'
import { silentAfterSeconds, type Pace } from '../training-run/pace.ts'
import { newestProgress } from '../training-run/progress.ts'

export type Reports = Pick<ProgressBook, 'of' | 'paceOf'>

/** A run as it is known at a scrape: its status, and reports that the status does not show yet. */
export type RunSeen = Readonly<{
  run: TrainingRun
  progress: TrainingRunProgress | undefined
  pace: Pace | undefined
  /** Since the running attempt was last heard of, by a report or by its start; undefined while none runs. */
  silenceSeconds: number | undefined
}>

/** One number about a run; undefined while there is none. */
export type Figure = Readonly<{ name: string; help: string; of: (seen: RunSeen) => number | undefined }>

/** Gauges of one run, by what follows `swe_operator_training_run_` in their names. */
export const figures: readonly Figure[] = [
  { name: 'step', help: 'Optimizer steps done, over all attempts.', of: ({ progress }) => progress?.step },
  { name: 'total_steps', help: 'Optimizer steps of the whole run.', of: ({ progress }) => progress?.totalSteps },
  { name: 'loss', help: 'Training loss as last reported.', of: ({ progress }) => metric(progress, 'loss') },
  { name: 'eval_loss', help: 'Loss on the held-out rows as last reported.', of: ({ progress }) => metric(progress, 'eval_loss') },
  { name: 'node_seconds', help: 'Seconds for which the attempts of a run have occupied a node.', of: ({ run }) => run.status?.cost?.seconds },
  { name: 'gpu_seconds', help: 'GPUs times seconds of the attempts of a run.', of: ({ run }) => run.status?.cost?.gpuSeconds },
  { name: 'budget_used_ratio', help: 'Used share of the limit of spec.budget that is nearest.', of: ({ run }) => share(run.status?.cost?.budgetUsedPercent) },
  { name: 'silence_seconds', help: 'Seconds since the running attempt reported, or started.', of: ({ silenceSeconds }) => silenceSeconds },
  { name: 'silent', help: '1 if the running attempt has not reported for ten times its median step, and five minutes at least.', of: isSilent },
]

export function lookAt(run: TrainingRun, { cache, world, book }: Pick<Runtime, 'cache' | 'world'> & Readonly<{ book: Reports }>): RunSeen {
  const { uid = '' } = run.metadata
  const reported = book.of(uid)
  const progress = newestProgress({ run, ...(reported === undefined ? {} : { progress: reported }) })
  const heard = lastHeard(run, progress, cache)
  const silenceSeconds = heard === undefined ? undefined : Math.max(0, (world.now().getTime() - Date.parse(heard)) / 1000)
  return { run, progress, pace: book.paceOf(uid), silenceSeconds }
}

/** A pod that never reported has been silent since its program began. */
function lastHeard({ metadata: { namespace = '' }, status }: TrainingRun, progress: TrainingRunProgress | undefined, cache: Runtime['cache']): string | undefined {
  const attempt = status?.attempts?.at(-1)
  if (status?.state !== 'Running' || attempt === undefined) return undefined
  if (progress?.attempt === attempt.number) return progress.updatedTime
  const pod = attempt.pod === undefined ? undefined : cache.of(PodType).get({ namespace, name: attempt.pod })
  return programState(pod)?.running?.startedAt
}

function isSilent({ run, pace, silenceSeconds }: RunSeen): number | undefined {
  if (silenceSeconds === undefined) return undefined
  const own = pace?.attempt === run.status?.attempts?.at(-1)?.number ? pace : undefined
  return Number(silenceSeconds >= silentAfterSeconds(own))
}

function metric(progress: TrainingRunProgress | undefined, wanted: string): number | undefined {
  const text = progress?.metrics?.find(({ name }) => name === wanted)?.value
  return text === undefined ? undefined : numberIn(text)
}

/** As Python writes it: `nan`, `inf` and `-inf` are numbers too. */
function numberIn(text: string): number {
  const [, sign, infinite] = /^([+-]?)(inf(?:inity)?)$/i.exec(text) ?? []
  return infinite === undefined ? Number(text) : sign === '-' ? -Infinity : Infinity
}

/** Of a whole percent. */
export function share(percent: number | undefined): number | undefined {
  return percent === undefined ? undefined : percent / 100
}
