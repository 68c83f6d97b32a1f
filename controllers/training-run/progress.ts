import type { TrainingRunProgress } from '../../crds/training-run.ts'
import type { Observed } from './observed.ts'

/** The report of the newest attempt, never behind what the status showed of the same attempt. */
export function newestProgress({ run, progress }: Pick<Observed, 'run' | 'progress'>): TrainingRunProgress | undefined {
  const shown = run.status?.progress
  if (progress === undefined) return shown
  const isBehind = shown?.attempt === progress.attempt && (progress.step < shown.step || progress.percent < shown.percent)
  return isBehind ? shown : progress
}

/** Where a pod left no verdict, what it reported last is the best that is known. */
export function lastReportedStep({ run, progress }: Pick<Observed, 'run' | 'progress'>, number: number): number | undefined {
  const steps = [progress, run.status?.progress].flatMap((report) => (report?.attempt === number ? [report.step] : []))
  return steps.length === 0 ? undefined : Math.max(...steps)
}
