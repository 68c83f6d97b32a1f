import type { PreferenceGen } from '../../../crds/preference-gen.ts'
import { buildDecontamination } from '../../generation/resources/evaluations.ts'
import { buildPrompt } from '../../generation/resources/prompt.ts'
import { inputsOf } from '../../jobs/inputs.ts'
import { asAsked, type Samples } from '../../generation/samples.ts'
import type { ConfigMap } from '../../shared/kinds.ts'
import { buildSource, DATA_FOLDER, PREDICTIONS_FOLDER } from '../../shared/sources.ts'
import type { Resolved } from '../resolve.ts'

export function inputsName({ metadata }: PreferenceGen): string {
  return `${metadata.name}-inputs-prefs` // a run x-prefs has x-prefs-inputs
}

/** What the programs of a PreferenceGen are told, and whom to trust. */
export function buildInputs(generation: PreferenceGen, resolved: Resolved, samples: Samples, caBundle: string): ConfigMap {
  return inputsOf(generation, { name: inputsName(generation), file: buildGenFile(generation, resolved, samples), caBundle })
}

const CONVERSATIONS_PER_INSTANCE = 3 // as SWE-smith keeps

/** The file that both programs read. */
function buildGenFile(generation: PreferenceGen, resolved: Resolved, samples: Samples): Readonly<Record<string, unknown>> {
  const { metadata, spec } = generation
  const { instances, split } = spec
  const { selectSeed, chosen, rejected, maxPerInstance, lengthBalance, pairSeed, splitSeed, harnessVersion } = resolved
  return {
    version: 1,
    generation: { namespace: metadata.namespace, name: metadata.name, uid: metadata.uid },
    instances: { source: buildSource(asAsked(instances, samples), DATA_FOLDER), format: instances.format, select: { ...instances.select, seed: selectSeed } },
    predictions: { source: buildSource(samples, PREDICTIONS_FOLDER) },
    prompt: buildPrompt(generation, resolved),
    pairs: { chosen, rejected, maxPerInstance, lengthBalance, seed: pairSeed },
    ...(split === undefined ? {} : { split: { trainPercent: split.trainPercent ?? 90, by: split.by ?? 'Instance', seed: splitSeed } }),
    ...(spec.export?.trajectories === undefined ? {} : { export: { trajectories: { style: spec.export.trajectories.style, maxPerInstance: spec.export.trajectories.maxPerInstance ?? CONVERSATIONS_PER_INSTANCE } } }),
    allowEvaluationSets: spec.allowEvaluationSets ?? false,
    ...buildDecontamination(generation),
    harnessVersion,
  }
}
