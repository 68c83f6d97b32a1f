// A SWEBenchEval that another resource orders for itself: made as it should be, held with its owner, and waited for.
import { API_VERSION } from '../../crds/common.ts'
import type { OwnEvaluation } from '../../crds/own-evaluation.ts'
import { MUTABLE_OF_EVALS } from '../../crds/swebench-eval-spec.ts'
import type { SWEBenchEval, SWEBenchEvalSpec } from '../../crds/swebench-eval.ts'
import type { KubeObject } from '../../operator/api/object.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { conditionOf } from '../../operator/meta/conditions.ts'
import { sameJson } from '../../operator/meta/hash.ts'
import { controllerOf, ownedBy } from '../../operator/meta/owner.ts'
import { childLabels, type Owner } from './labels.ts'
import { isFinished, withoutAbsent } from './lifecycle.ts'

export type Order<State extends string> = Readonly<{
  owner: Owner
  isHeld: boolean
  /** What the owner's budget says where it lets nothing start; of an owner whose budget is not about this, absent. */
  overBudget?: Readonly<{ state: State; message: string }> | undefined
  /** Of the name that it has, whoever made it. */
  found: SWEBenchEval | undefined
  /** As it should be. */
  desired: SWEBenchEval
  /** What is said before it is there. */
  begins: string
  /** While it grades, and where it waits for a person. */
  states: Readonly<{ grading: State; cannot: State }>
  conclude(state: State | 'Suspending' | 'Suspended', message: string, then?: Pick<Verdict, 'again' | 'apply'>): Verdict
}>

const CHECK_SECONDS = 60 // an evaluation wakes its owner when it changes

/** What an evaluation of its own leads to; undefined once that is finished, for better or worse. Somebody else's of that name is not touched. */
export function superviseEvaluation<State extends string>(order: Order<State>): Verdict | undefined {
  const { owner, found, desired, states, conclude } = order
  if (found !== undefined && !isOwn(found, owner)) {
    return conclude(states.cannot, `There is a SWEBenchEval ${desired.metadata.name} that does not belong to this ${owner.kind}, and its own would have that name. Delete that one, or create a ${owner.kind} of another name.`, { again: CHECK_SECONDS })
  }
  const other = found === undefined ? [] : differing(found, desired)
  if (other.length > 0) return conclude(states.cannot, `SWEBenchEval ${desired.metadata.name} is not what this ${owner.kind} asks for: its ${other.map((field) => `spec.${field}`).join(', ')} ${other.length === 1 ? 'is another' : 'are others'}. Delete it; it is made anew then.`, { again: CHECK_SECONDS })
  if (found !== undefined && isFinished(found)) return undefined
  if (order.isHeld) return hold(order)
  if (order.overBudget !== undefined) return holdAtBudget(order, order.overBudget)
  return conclude(isStalled(found) ? states.cannot : states.grading, found === undefined ? order.begins : saidBy(found), { again: CHECK_SECONDS, apply: ifChanged(order) })
}

/** Its window and suspension follow its owner's. */
function hold<State extends string>(order: Order<State>): Verdict {
  const { found, conclude } = order
  if (found === undefined) return conclude('Suspended', 'No sandbox runs. spec.suspend false begins with the grading.')
  const apply = ifChanged(order)
  const isHeld = found.status?.state === 'Suspended'
  if (apply.length > 0 || !(isHeld || isWaiting(found))) return conclude('Suspending', finishing(found), { again: CHECK_SECONDS, apply })
  return conclude('Suspended', isHeld ? 'No sandbox runs. spec.suspend false goes on with the patches that have no verdict yet.' : `No sandbox runs. ${saidBy(found)}`, { again: CHECK_SECONDS })
}

/** For a person or another resource, and so at rest: none of its sandboxes runs in such a state. */
function isWaiting(found: SWEBenchEval): boolean {
  return found.status?.state === 'WaitingForReference' || isStalled(found)
}

function isStalled(found: SWEBenchEval | undefined): boolean {
  return conditionOf(found?.status?.conditions, 'Stalled')?.status === 'True'
}

function holdAtBudget<State extends string>(order: Order<State>, { state, message }: NonNullable<Order<State>['overBudget']>): Verdict {
  const { found, conclude } = order
  if (found === undefined) return conclude(state, message)
  const apply = ifChanged(order)
  if (apply.length === 0 && (found.status?.state === 'Suspended' || isWaiting(found))) return conclude(state, message)
  return conclude(state, `${message} ${finishing(found)}`, { again: CHECK_SECONDS, apply })
}

function finishing({ metadata: { name } }: SWEBenchEval): string {
  return `SWEBenchEval ${name} lets its running sandboxes finish; none starts.`
}

function ifChanged<State extends string>({ found, desired }: Order<State>): readonly KubeObject[] {
  return found !== undefined && sameJson(found.spec, desired.spec) ? [] : [desired]
}

/** It speaks for itself. */
function saidBy({ metadata: { name }, status }: SWEBenchEval): string {
  return `SWEBenchEval ${name}: ${conditionOf(status?.conditions, 'Ready')?.message ?? 'It has not been looked at yet.'}`
}

export function orderEvaluation(owner: Owner, name: string, spec: SWEBenchEvalSpec): SWEBenchEval {
  const { namespace = '' } = owner.metadata
  return { apiVersion: API_VERSION, kind: 'SWEBenchEval', metadata: { namespace, name, labels: childLabels(owner), ownerReferences: [ownedBy(owner)] }, spec }
}

/** Whether an evaluation is the one that was made for this owner. */
export function isOwn(evaluation: KubeObject, { metadata }: KubeObject): boolean {
  return controllerOf(evaluation)?.uid === metadata.uid
}

/** Whether what it says answers what was asked, whoever wrote it. */
export function isAsOrdered(evaluation: SWEBenchEval, desired: SWEBenchEval): boolean {
  return differing(evaluation, desired).length === 0
}

type Spec = Readonly<{ spec: Readonly<Record<string, unknown>> }>

/** The fields that are others than they should be and stay so. */
function differing({ spec: is }: Spec, { spec: should }: Spec): readonly string[] {
  const fields = Object.keys({ ...is, ...should }).filter((field) => !MUTABLE_OF_EVALS.includes(field))
  return fields.filter((field) => !sameJson(is[field], should[field])).toSorted()
}

/** Undefined where it is none of this owner's. */
export function describeOwn(evaluation: SWEBenchEval | undefined, owner: KubeObject): OwnEvaluation | undefined {
  if (evaluation === undefined || !isOwn(evaluation, owner)) return undefined
  const { metadata: { name, uid }, status } = evaluation
  return withoutAbsent({ name, uid, state: status?.state, percent: status?.progress?.percent, resolved: status?.counts?.resolved, total: status?.counts?.total })
}
