// What is said about an evaluation, for the person who reads kubectl describe.
import type { SWEBenchEvalStatus } from '../../crds/swebench-eval.ts'
import { describeBaseline } from './baselines.ts'
import { countsOf, dryRunOf } from './counts.ts'
import { baselines, toGrade, type Observed } from './observed.ts'

type DryRun = NonNullable<SWEBenchEvalStatus['dryRun']>

export function gradingMessage(seen: Observed): string {
  const total = toGrade(seen) ?? 0
  const what = baselines(seen) === 0 ? 'predictions' : 'predictions and baselines'
  const blocked = seen.progress?.blocked === undefined ? '' : ` Further sandboxes wait: ${seen.progress.blocked}.`
  const done = seen.evaluation.spec.dryRun === true ? 'are checked without running a test' : 'have a verdict'
  return `${seen.rows.final.size} of ${total} ${what} ${done}, ${seen.progress?.running ?? 0} are at work.${blocked}`
}

export function doneMessage(seen: Observed): string {
  return seen.evaluation.spec.dryRun === true ? dryRunMessage(dryRunOf(seen)) : scoreMessage(seen)
}

function dryRunMessage(found: DryRun | undefined): string {
  if (found === undefined) return 'Dry run: no test was run. What was found is in report.html.'
  const others = Object.entries(OTHER_ENDS).flatMap(([field, what]) => (found[field as keyof DryRun] === 0 ? [] : [`${found[field as keyof DryRun]} ${what}`]))
  const said = others.length === 0 ? '' : ` The others: ${others.join(', ')}.`
  return `Dry run: ${found.ok} of ${found.submitted} predictions apply and compile; no test was run.${said}`
}

const OTHER_ENDS = { doesNotParse: 'no diff', doesNotApply: 'not applying', doesNotCompile: 'not compiling', overLimits: 'beyond their limits', emptyPatches: 'empty', unchecked: 'lost to the cluster' } as const satisfies Partial<Record<keyof DryRun, string>>

function scoreMessage(seen: Observed): string {
  const { resolved = 0, total = 0, incomplete = 0, excluded = 0, cached = 0 } = countsOf(seen) ?? {}
  const rate = seen.reported?.summary
  const lost = incomplete === excluded ? '' : ` ${incomplete - excluded} have no verdict.`
  const kept = excluded === 0 ? '' : ` Not run, because their instance is not proven to be valid here: ${excluded}.`
  const again = cached === 0 ? '' : ` Not run again, because an earlier evaluation ran the same: ${cached}.`
  const interval = rate === undefined ? '' : ` (${rate.resolvedRate}, 95 % interval ${rate.low} to ${rate.high})`
  const { goldFails = 0, noOpResolves = 0 } = describeBaseline(seen) ?? {}
  const invalid = goldFails + noOpResolves === 0 ? '' : ` Instances that cannot be graded here: ${goldFails + noOpResolves}; status.baseline names them.`
  return `${resolved} of ${total} resolved${interval}.${again}${lost}${kept}${invalid}`
}
