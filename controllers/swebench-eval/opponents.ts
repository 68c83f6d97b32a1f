// The earlier evaluations that one is compared with.
import type { SWEBenchEval } from '../../crds/swebench-eval.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { conditionOf } from '../../operator/meta/conditions.ts'
import { isFinished } from '../shared/lifecycle.ts'
import type { Observed } from './observed.ts'
import { conclude } from './reasons.ts'

/** Where the results of an earlier evaluation lie, or why there are none. */
export type Opponent = Readonly<{ name: string; uid: string }> & (Readonly<{ results: string }> | Readonly<{ problem: string }>)

const LOOK_AGAIN_SECONDS = 15

/** Policy: the report waits for those that are not complete. What it was made with stays, whatever becomes of them. */
export function waitForOpponents(seen: Observed): Verdict | undefined {
  const { evaluation, others, results } = seen
  if (results !== undefined) return undefined
  const waited = (evaluation.spec.compareWith ?? []).filter((name) => !others.some((other) => other.metadata.name === name && isFinished(other)))
  if (waited.length === 0) return undefined
  const missing = waited.filter((name) => !others.some((other) => other.metadata.name === name))
  const why = missing.length === 0 ? '' : ` There is no SWEBenchEval ${missing.join(', ')} in this namespace.`
  return conclude('WaitingForReference', `All verdicts are there. The report waits until SWEBenchEval ${waited.join(', ')} is complete.${why} To have it without, take the name out of spec.compareWith.`, { again: LOOK_AGAIN_SECONDS })
}

export function opponentsOf({ others }: Pick<Observed, 'others'>): readonly Opponent[] {
  return others.map((other) => ({ name: other.metadata.name, uid: other.metadata.uid ?? '', ...resultsOf(other) }))
}

function resultsOf({ spec, status }: SWEBenchEval): Readonly<{ results: string }> | Readonly<{ problem: string }> {
  if (spec.dryRun === true) return { problem: 'it is a dry run, which resolves nothing' }
  const results = status?.artifacts?.find(({ name }) => name === 'results.jsonl')?.uri
  if (results !== undefined) return { results }
  return { problem: conditionOf(status?.conditions, 'Failed')?.status === 'True' ? 'it has failed' : 'it has no results.jsonl' }
}
