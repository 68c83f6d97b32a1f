// The evaluation that the result of a run must pass before the run is complete.
import type { SWEBenchEval } from '../../crds/swebench-eval.ts'
import type { TrainingRun, TrainingRunGate, TrainingRunStatus } from '../../crds/training-run.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { conditionOf } from '../../operator/meta/conditions.ts'
import { invalidPool, type PoolProblem } from '../generation/serving/pool.ts'
import { isComplete, wasTrained, withoutAbsent } from '../shared/lifecycle.ts'
import { describeOwn, isAsOrdered, isOwn, superviseEvaluation } from '../shared/own-evaluation.ts'
import { isTrained } from './attempt-table.ts'
import type { Observed } from './observed.ts'
import { conclude } from './reasons.ts'
import { circleOf } from './references.ts'
import { buildGateEvaluation } from './resources/gate-evaluation.ts'
import type { Settings } from './settings.ts'

type Gate = NonNullable<TrainingRunStatus['gate']>
type Outcome = Pick<Gate, 'resolvedRate' | 'baseline' | 'passed' | 'message'>

/** Policy: the status first tells where the result lies, which the evaluation reads there. */
export function passGate(seen: Observed): Verdict | undefined {
  const { run, gateEvaluation } = seen
  const { gate } = run.spec
  if (gate === undefined || !isTrained(seen) || run.status?.gate?.passed === true) return undefined
  if (!wasTrained(run)) return conclude('Gating', 'The training is over; its result is evaluated next.')
  const waiting = superviseEvaluation({
    owner: run, isHeld: run.spec.suspend === true, found: gateEvaluation, desired: buildGateEvaluation(run, gate), begins: 'A SWEBenchEval begins to measure the result.',
    states: { grading: 'Gating', cannot: 'CannotGate' }, conclude,
  })
  const verdict = (waiting && unlessInCircle(waiting, seen)) ?? (gateEvaluation && judge(gate, gateEvaluation, seen))
  return verdict?.reason === 'CannotGate' ? { ...verdict, message: `${verdict.message} Or remove spec.gate to complete the run without.` } : verdict
}

/** Its evaluation is made all the same: only its report waits for the one that it is compared with. */
function unlessInCircle(waiting: Verdict, seen: Observed): Verdict {
  const said = circleOf(seen)
  if (said === undefined || waiting.reason !== 'Gating') return waiting
  return { ...waiting, ...conclude('CannotGate', said) }
}

/** Why no server of the result can be had, which is told before anything is trained. */
export function invalidServing({ spec: { gate } }: TrainingRun, settings: Pick<Settings, 'pools'>): PoolProblem | undefined {
  return invalidPool(gate?.evaluation.generation?.serving, { field: 'spec.gate.evaluation.generation.serving', kind: 'TrainingRun' }, settings)
}

/** What is known of the gate by now; the last word on it stays. */
export function describeGate(seen: Observed): TrainingRunStatus['gate'] {
  const { run: { spec: { gate }, status }, run, gateEvaluation } = seen
  const before = status?.gate
  if (gate === undefined) return before?.passed === undefined ? undefined : before // nobody asks any more
  if (!wasTrained(run) || before?.passed !== undefined) return before
  const evaluation = describeOwn(gateEvaluation, run) ?? before?.evaluation
  if (evaluation === undefined || gateEvaluation === undefined) return before
  const isJudged = isOwn(gateEvaluation, run) && isComplete(gateEvaluation) && isAsOrdered(gateEvaluation, buildGateEvaluation(run, gate))
  return isJudged ? withoutAbsent({ evaluation, ...measured(gateEvaluation), ...outcomeOf(gate, gateEvaluation, seen) }) : { evaluation }
}

/** On what, and how sure: for whoever reads the rate once the evaluation is gone. */
function measured({ status }: SWEBenchEval): Pick<Gate, 'source' | 'instances' | 'low' | 'high'> {
  const { data, resolvedRate } = status ?? {}
  return { source: data?.source, instances: data?.instances, low: resolvedRate?.low, high: resolvedRate?.high }
}

/** Undefined where the gate is passed. What cannot be judged costs no result: a person removes the cause. */
function judge(gate: TrainingRunGate, evaluation: SWEBenchEval, seen: Observed): Verdict | undefined {
  const { metadata: { name }, status } = evaluation
  const remedy = `The result lies in the store. Remove the cause and delete SWEBenchEval ${name}; it is made anew then.`
  if (!isComplete(evaluation)) return conclude('CannotGate', `SWEBenchEval ${name} has failed: ${conditionOf(status?.conditions, 'Failed')?.message ?? ''} ${remedy}`)
  const outcome = outcomeOf(gate, evaluation, seen)
  if (outcome.passed === undefined) return conclude('CannotGate', `${outcome.message} ${remedy}`)
  return outcome.passed ? undefined : conclude('GateFailed', `${outcome.message} The result lies in the store.`)
}

function outcomeOf(gate: TrainingRunGate, evaluation: SWEBenchEval, seen: Observed): Outcome {
  const resolvedRate = evaluation.status?.resolvedRate?.value
  if (resolvedRate === undefined) return { message: `SWEBenchEval ${evaluation.metadata.name} is complete and has no resolve rate.` }
  const said = `The result resolves ${resolvedRate} in SWEBenchEval ${evaluation.metadata.name}`
  if (gate.noWorseThan !== undefined) return compared(gate.noWorseThan.name, evaluation, seen, { resolvedRate, said })
  const { minResolvedRate } = gate
  if (mayChange(evaluation, Number(resolvedRate), Number(minResolvedRate))) return { resolvedRate, message: `${said}, where ${lost(evaluation)}; with them it may reach the ${minResolvedRate} that spec.gate.minResolvedRate asks for.` }
  return { resolvedRate, passed: Number(resolvedRate) >= Number(minResolvedRate), message: `${said}; spec.gate.minResolvedRate asks for ${minResolvedRate}.` }
}

const ROUNDING = 0.0001 // of two rates, the one that is and the one that may be

/** Whether a rate that is too low could be enough, had everything been graded: one prediction may be all that its instance has. */
function mayChange({ status }: SWEBenchEval, rate: number, asked: number): boolean {
  const { incomplete = 0 } = status?.counts ?? {}
  return incomplete > 0 && rate < asked && !(rate + incomplete / (status?.data?.instances ?? 0) + ROUNDING < asked)
}

function lost({ status }: SWEBenchEval): string {
  const { incomplete = 0, total = 0 } = status?.counts ?? {}
  return `${incomplete} of ${total} predictions have no verdict`
}

const SIGNIFICANT = 0.05 // two-sided: Fisher's convention, which tests of paired classifiers keep (Dietterich 1998)

/** What has no verdict in one of the two is left out of the comparison: a gate is judged over all of its instances. */
function compared(name: string, evaluation: SWEBenchEval, { gateBaseline }: Observed, { resolvedRate, said }: Readonly<{ resolvedRate: string; said: string }>): Outcome {
  const { difference, pValue, instances, wins, losses, problem = 'its report says nothing of it' } = evaluation.status?.comparisons?.find((one) => one.name === name) ?? {}
  if (difference === undefined || pValue === undefined) return { resolvedRate, message: `${said}, which cannot be compared with SWEBenchEval ${name}: ${problem}.` }
  const { counts, data } = evaluation.status ?? {}
  if ((counts?.incomplete ?? 0) > 0) return { resolvedRate, message: `${said}, which is not compared with SWEBenchEval ${name}: ${lost(evaluation)}.` }
  if ((instances ?? 0) < (data?.instances ?? 0)) return { resolvedRate, message: `${said}, which is not compared with SWEBenchEval ${name}: that has a verdict for ${instances} of the ${data?.instances} instances, and must have one for each.` }
  const baseline = withoutAbsent({ name, resolvedRate: gateBaseline?.status?.resolvedRate?.value, difference, pValue })
  const isWorse = Number(difference) < 0 && Number(pValue) < SIGNIFICANT
  const other = baseline.resolvedRate === undefined ? '' : `, which resolves ${baseline.resolvedRate}`
  const message = `${said}, and is ${isWorse ? '' : 'not '}significantly worse than SWEBenchEval ${name}${other}: difference ${difference} over the ${instances} instances of both, of which ${wins} are won and ${losses} lost, McNemar's p ${pValue}.`
  return { resolvedRate, baseline, passed: !isWorse, message }
}
