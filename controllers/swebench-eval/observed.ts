import type { SWEBenchEval } from '../../crds/swebench-eval.ts'
import type { ObjectRef } from '../../operator/api/object.ts'
import type { Progress } from '../../operator/fan-out/task.ts'
import type { Generating, Observed as AskingSeen } from '../generation/observed.ts'
import type { Child } from '../jobs/children.ts'
import type { Waiting } from '../shared/circles.ts'
import type { ConfigMap, NetworkPolicy } from '../shared/kinds.ts'
import { conclude } from './reasons.ts'
import type { Resolved } from './resolve.ts'
import type { Rows } from './rows.ts'
import type { Settings } from './settings.ts'
import type { PrepareVerdict, ProbeVerdict, ReportVerdict } from './verdicts.ts'

/** How far the sandboxes are, how many ended in a minute since this process drives them, and the names of the instances in the order of the index. */
export type GradingProgress = Progress & Readonly<{ perMinute?: number; instances?: readonly string[] }>

export type Preparation = Child & Readonly<{ verdict?: PrepareVerdict }>
export type Probe = Child & Readonly<{ verdict?: ProbeVerdict }>
export type Report = Child & Readonly<{ verdict?: ReportVerdict }>

/** Everything that is known about an evaluation at one moment; the policies see nothing else. */
export type Observed = Generating & Readonly<{
  evaluation: SWEBenchEval
  now: Date
  settings: Settings
  resolved: Resolved
  caBundle?: string
  /** As the cluster has them. */
  inputs?: ConfigMap
  results?: ConfigMap
  networkPolicy?: NetworkPolicy
  /** Ascending by number, as are all other Jobs. */
  preparations: readonly Preparation[]
  /** With the profile of a sandbox: one tries to get out, the other is there to be reached. */
  probes: readonly Probe[]
  listeners: readonly Child[]
  reports: readonly Report[]
  /** What was prepared, as its pod or the store says. */
  prepared?: PrepareVerdict
  /** What the cluster has of it beside itself, once it is finished. */
  leftovers: readonly ObjectRef[]
  /** The reports, as their pod or the store's completion marker says. */
  reported?: ReportVerdict
  rows: Rows
  /** How far the sandboxes are, as this process drives them; undefined while it does not. */
  progress?: GradingProgress
  /** Those of spec.compareWith, as far as they exist. */
  others: readonly SWEBenchEval[]
  /** Resources that wait for each other, from this one by way of one of those to itself. */
  circleOfOpponents?: readonly Waiting[]
  /** The newest complaint of Kubernetes about the Job that is on its way. */
  warning?: string
  /** Whether the store has told if the evaluation was finished before, now or earlier. */
  consulted: boolean
  /** The store had to be asked and did not answer. */
  storeTrouble?: string
}>

/** As the policies of the asking see it. */
export function askingOf(seen: Observed): AskingSeen {
  return { ...seen, asker: seen.evaluation, testSeconds: seen.rows.seconds, isPrepared: toRun(seen) !== undefined, conclude }
}

/** Predictions that get a sandbox; undefined before the preparation. */
export function toRun({ prepared, evaluation }: Prepared): number | undefined {
  return prepared?.summary?.toRun ?? evaluation.status?.data?.toRun
}

/** Gold patches and no-ops that get a sandbox too: their ordinals come before those of the predictions. */
export function baselines({ prepared, evaluation }: Prepared): number {
  return (prepared?.summary ?? evaluation.status?.data)?.baselines ?? 0
}

type Prepared = Pick<Observed, 'prepared' | 'evaluation'>

/** How many of both must have ended; undefined before the preparation. */
export function toGrade(seen: Prepared): number | undefined {
  const predictions = toRun(seen)
  return predictions === undefined ? undefined : predictions + baselines(seen)
}

export function isGraded(seen: Observed): boolean {
  const wanted = toGrade(seen)
  return wanted !== undefined && seen.rows.final.size >= wanted
}
