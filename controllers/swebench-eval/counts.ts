// Predictions by the state they are in, as the rows and the preparation tell.
import type { SWEBenchEvalStatus } from '../../crds/swebench-eval.ts'
import type { Row } from '../../operator/fan-out/task.ts'
import { describeSpent } from '../generation/budget.ts'
import { coresOf, bytesOf } from '../shared/quantity.ts'
import { askingOf, baselines, type Observed } from './observed.ts'
import { CACHED, isCached, isExcluded, stateOf } from './rows.ts'

type Counts = NonNullable<SWEBenchEvalStatus['counts']>

/** Undefined before the preparation, and for a dry run, of which nothing may look like a score. */
export function countsOf(seen: Observed): Counts | undefined {
  if (seen.evaluation.spec.dryRun === true) return undefined
  const data = seen.prepared?.summary ?? seen.evaluation.status?.data
  if (data?.toRun === undefined) return undefined
  const { emptyPatches = 0, withoutPrediction = 0, toRun } = data
  const final = ofPredictions(seen, seen.rows.final.values())
  const [resolved, unresolved, error] = [inState(final, 'Resolved'), inState(final, 'Unresolved'), inState(final, 'Error')]
  return {
    total: toRun + emptyPatches + withoutPrediction,
    submitted: toRun + emptyPatches,
    completed: resolved + unresolved,
    resolved,
    unresolved,
    error,
    emptyPatch: emptyPatches,
    incomplete: withoutPrediction + inState(final, 'Incomplete'),
    excluded: countOf(final, isExcluded),
    cached: countOf(final, isCached),
    patchApplyFailed: of(final, 'A') + of(final, CACHED.PatchApplyFailed),
    timedOut: of(final, 'T'),
    outOfMemory: of(final, 'M') + of(final, 'O'),
    diskFull: of(final, 'D'),
    infrastructureRetries: of(ofPredictions(seen, seen.rows.all), 'i'),
  }
}

/** Of a dry run: what its report says, and before that what its rows do. */
export function dryRunOf(seen: Observed): SWEBenchEvalStatus['dryRun'] {
  const data = seen.prepared?.summary ?? seen.evaluation.status?.data
  if (seen.evaluation.spec.dryRun !== true) return undefined
  if (seen.reported?.dryRun !== undefined) return seen.reported.dryRun
  if (data?.toRun === undefined) return undefined
  const { emptyPatches = 0, toRun } = data
  const final = tallied(seen.rows.final.values())
  return {
    submitted: toRun + emptyPatches,
    checked: inState(final, 'Checked'),
    ok: of(final, 'K'),
    doesNotParse: of(final, 'B'),
    doesNotApply: of(final, 'Q'),
    doesNotCompile: of(final, 'S'),
    overLimits: inState(final, 'Error'),
    emptyPatches,
    unchecked: inState(final, 'Incomplete'),
  }
}

/** What the sandboxes took that have ended, those of baselines among them, and what served a model. */
export function costOf(seen: Observed): SWEBenchEvalStatus['cost'] {
  const { all, final, seconds } = seen.rows
  const spent = describeSpent(askingOf(seen))
  if (all.length === 0 && spent.servingSeconds === undefined) return undefined
  const cpuSeconds = Math.round(seconds * coresOf(seen.resolved.cpu))
  const resolved = of(ofPredictions(seen, final.values()), 'R')
  return {
    pods: countOf(tallied(all), (row) => !isExcluded(row) && !isCached(row)),
    cpuSeconds,
    memoryGiBSeconds: Math.round((seconds * bytesOf(seen.resolved.memory)) / GIB),
    ...(resolved === 0 ? {} : { cpuSecondsPerResolved: Math.round(cpuSeconds / resolved) }),
    ...spent,
  }
}

const GIB = 1024 ** 3

/** Baselines come before all predictions. */
function ofPredictions(seen: Observed, rows: Iterable<Row>): Tally {
  return tallied(rows, baselines(seen))
}

/** How many rows have which code. */
type Tally = ReadonlyMap<string, number>

/** Thousands of rows are walked over once, however many figures come of them. */
function tallied(rows: Iterable<Row>, first = 0): Tally {
  const tally = new Map<string, number>()
  for (const { ordinal, code } of rows) if (ordinal >= first) tally.set(code, (tally.get(code) ?? 0) + 1)
  return tally
}

function countOf(tally: Tally, isMeant: (row: Pick<Row, 'code'>) => boolean): number {
  return [...tally].reduce((sum, [code, rows]) => sum + (isMeant({ code }) ? rows : 0), 0)
}

function inState(tally: Tally, state: string): number {
  return countOf(tally, (row) => stateOf(row) === state)
}

function of(tally: Tally, code: string): number {
  return tally.get(code) ?? 0
}
