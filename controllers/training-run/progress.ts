import type { TrainingRunProgress } from '../../crds/training-run.ts'
import type { Observed } from './observed.ts'

/** The report of the newest attempt, never behind what the status showed of the same attempt. */
export function newestProgress({ run, progress }: Pick<Observed, 'run' | 'progress'>): TrainingRunProgress | undefined {
  const shown = run.status?.progress
  if (progress === undefined) return shown
  const isBehind = shown?.attempt === progress.attempt && (progress.step < shown.step || progress.percent < shown.percent)
  return isBehind ? shown : progress
}
