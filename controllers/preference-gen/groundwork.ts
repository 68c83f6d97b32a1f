// What pods are told, where the cluster has something else: after a rotation of the certificate, or when somebody deleted it.
import type { KubeObject } from '../../operator/api/object.ts'
import { samplesMade } from '../generation/samples.ts'
import { unlessSame } from '../jobs/inputs.ts'
import { askingOf, type Observed } from './observed.ts'
import { buildInputs } from './resources/inputs.ts'

/** What must be there before a program starts. */
export function groundwork(seen: Observed): readonly KubeObject[] {
  const { caBundle, generation, resolved, settings } = seen
  const samples = generation.spec.predictions ?? samplesMade(askingOf(seen), settings)
  return caBundle === undefined || samples === undefined ? [] : unlessSame(seen.inputs, buildInputs(generation, resolved, samples, caBundle))
}
