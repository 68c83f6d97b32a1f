// The earlier evaluations that one is compared with.
import { SWEBenchEvalType, type SWEBenchEval } from '../../crds/swebench-eval.ts'
import type { KubeObject } from '../../operator/api/object.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { conditionOf } from '../../operator/meta/conditions.ts'
import { waitInCircle } from '../shared/circles.ts'
import { isFinished } from '../shared/lifecycle.ts'
import { referenceKey } from '../shared/references.ts'
import type { Observed } from './observed.ts'
import { conclude } from './reasons.ts'

/** Where the results of an earlier evaluation lie, or why there are none. */
export type Opponent = Readonly<{ name: string; uid: string }> & (Readonly<{ results: string }> | Readonly<{ problem: string }>)

const LOOK_AGAIN_SECONDS = 15
const FIELD = 'spec.compareWith'

/** Policy: the report waits for those that are not complete. What it was made with stays, whatever becomes of them. */
export function waitForOpponents(seen: Observed): Verdict | undefined {
  const { evaluation, others, results, circleOfOpponents } = seen
  if (results !== undefined) return undefined
  const waited = (evaluation.spec.compareWith ?? []).filter((name) => !others.some((other) => other.metadata.name === name && isFinished(other)))
  if (waited.length === 0) return undefined
  if (circleOfOpponents !== undefined) return conclude('UnusableReference', `All verdicts are there. ${waitInCircle(circleOfOpponents, FIELD)} Or take the name out of ${FIELD} to have the report without.`, { again: LOOK_AGAIN_SECONDS })
  const missing = waited.filter((name) => !others.some((other) => other.metadata.name === name))
  const why = missing.length === 0 ? '' : ` There is no SWEBenchEval ${missing.join(', ')} in this namespace.`
  return conclude('WaitingForReference', `All verdicts are there. The report waits until SWEBenchEval ${waited.join(', ')} is complete.${why} To have it without, take the name out of ${FIELD}.`, { again: LOOK_AGAIN_SECONDS })
}

/** For the index of the cache: keys of those that the report waits for. One that is finished waits for nobody. As the API server admitted it. */
export function awaitedOpponents(object: KubeObject): readonly string[] {
  const evaluation = object as SWEBenchEval
  const { metadata: { namespace = '' }, spec: { compareWith = [] } } = evaluation
  return isFinished(evaluation) ? [] : compareWith.map((name) => referenceKey(SWEBenchEvalType, { namespace, name }))
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
