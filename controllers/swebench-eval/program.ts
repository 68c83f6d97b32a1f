// A program of an evaluation that has to succeed once, and what every pod of an evaluation needs.
import type { KubeObject } from '../../operator/api/object.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { samplesMade } from '../generation/samples.ts'
import { unlessSame } from '../jobs/inputs.ts'
import type { NextRun } from '../jobs/run-once.ts'
import { runProgram, type ProgramStory } from '../jobs/run-program.ts'
import { askingOf, type Observed } from './observed.ts'
import { conclude, isState, type State } from './reasons.ts'
import { buildInputs } from './resources/inputs.ts'
import { buildNetworkPolicy } from './resources/network-policy.ts'

/** What its Jobs so far lead to. */
export function supervise(seen: Observed, next: NextRun, story: ProgramStory<State>): Verdict {
  return runProgram(next, story, { ...seen, kind: 'SWEBenchEval', groundwork: groundwork(seen), words: { isState, conclude } })
}

/** What every pod of an evaluation needs: told what to do, and closed in before it starts. */
export function groundwork(seen: Observed): readonly KubeObject[] {
  return [...inputsIfChanged(seen), ...networkPolicyIfMissing(seen)]
}

function networkPolicyIfMissing({ evaluation, resolved, settings, networkPolicy }: Observed): readonly KubeObject[] {
  return networkPolicy === undefined ? [buildNetworkPolicy(evaluation, resolved, settings)] : []
}

/** Nothing while the model has yet to make the predictions. */
function inputsIfChanged(seen: Observed): readonly KubeObject[] {
  const { evaluation, resolved, settings, inputs, caBundle } = seen
  const predictions = evaluation.spec.predictions ?? samplesMade(askingOf(seen), settings)
  return caBundle === undefined || predictions === undefined ? [] : unlessSame(inputs, buildInputs(evaluation, resolved, { settings, predictions, caBundle }))
}
