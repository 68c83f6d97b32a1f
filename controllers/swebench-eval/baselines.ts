// Whether instances can be graded here: their gold patch has to resolve them, and a patch that does nothing must not.
import type { SWEBenchEvalStatus } from '../../crds/swebench-eval.ts'
import type { Row } from '../../operator/fan-out/task.ts'
import { baselines, type Observed } from './observed.ts'
import { baselinesOf, endings, isCached, isCode, stateOf, type Rows } from './rows.ts'

/** Unknown where a baseline was lost to the cluster and the other one proves nothing against the instance. */
export type Validity = 'Valid' | 'GoldFails' | 'NoOpResolves' | 'Unknown'

type Baseline = NonNullable<SWEBenchEvalStatus['baseline']>

const MOST_EXAMPLES = 10

/** Undefined while one of them is not final. */
export function validityOf(gold: Row | undefined, noOp: Row | undefined): Validity | undefined {
  if (gold?.final !== true || noOp?.final !== true) return undefined
  const [ofGold, ofNoOp] = [stateOf(gold), stateOf(noOp)]
  if (ofGold === 'Unresolved' || ofGold === 'Error') return 'GoldFails'
  if (ofNoOp === 'Resolved') return 'NoOpResolves'
  return ofGold === 'Incomplete' || ofNoOp === 'Incomplete' ? 'Unknown' : 'Valid'
}

export type Proof = Readonly<{ instance: number; gold: Row; noOp: Row; validity: Validity }>

/** What is known of so many baselines, in the order of the index. */
export function proofsIn({ final }: Rows, count: number): readonly Proof[] {
  return Array.from({ length: count / 2 }, (_, instance) => instance).flatMap((instance) => {
    const [gold, noOp] = baselinesOf(instance).map((ordinal) => final.get(ordinal))
    const validity = validityOf(gold, noOp)
    return gold === undefined || noOp === undefined || validity === undefined ? [] : [{ instance, gold, noOp, validity }]
  })
}

/** Undefined where no baselines run. Instances have names only while this process drives the sandboxes. */
export function describeBaseline(seen: Observed): Baseline | undefined {
  const count = baselines(seen)
  if (count === 0) return undefined
  const proofs = proofsIn(seen.rows, count)
  const of = (validity: Validity): number => proofs.filter((proof) => proof.validity === validity).length
  const cached = proofs.flatMap(({ gold, noOp }) => [gold, noOp]).filter(isCached).length
  const examples = examplesOf(proofs, seen.progress?.instances) ?? seen.evaluation.status?.baseline?.examples
  return { instances: count / 2, valid: of('Valid'), goldFails: of('GoldFails'), noOpResolves: of('NoOpResolves'), unknown: of('Unknown'), ...(cached === 0 ? {} : { cached }), ...(examples === undefined ? {} : { examples }) }
}

function examplesOf(proofs: readonly Proof[], names: readonly string[] | undefined): Baseline['examples'] {
  if (names === undefined) return undefined
  return proofs.flatMap(({ instance, gold, noOp, validity }) => {
    const name = names[instance]
    return name === undefined || validity === 'Valid' ? [] : [{ name, reason: validity, message: `Gold patch: ${endOf(gold)}; no-op: ${endOf(noOp)}.` }]
  }).slice(0, MOST_EXAMPLES)
}

function endOf({ code }: Row): string {
  if (!isCode(code)) return code
  const { state, reason } = endings[code]
  return reason === state ? state : `${state} (${reason})`
}
