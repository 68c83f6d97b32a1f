import type { PreferenceGen } from '../../../crds/preference-gen.ts'
import type { SWEBenchEval } from '../../../crds/swebench-eval.ts'
import { ownUri } from '../../shared/artifacts.ts'
import { orderEvaluation } from '../../shared/own-evaluation.ts'
import type { Resolved } from '../resolve.ts'
import type { Settings } from '../settings.ts'

export function evaluationName({ metadata }: PreferenceGen): string {
  return `${metadata.name}-grade`
}

/** The evaluation that grades the prepared patches: of exactly the rows that were read, whatever their source holds by now. */
export function buildEvaluation(generation: PreferenceGen, resolved: Resolved, settings: Settings, prefix: string): SWEBenchEval {
  const { spec } = generation
  const prepared = (file: string): Readonly<{ s3: Readonly<{ uri: string }> }> => ({ s3: { uri: ownUri(generation, settings, prefix + file) } })
  return orderEvaluation(generation, evaluationName(generation), {
    instances: { ...prepared('instances.jsonl'), format: spec.instances.format },
    predictions: prepared('predictions.jsonl'),
    ...(resolved.chosen === 'Gold' ? { baseline: 'Cached' } : {}),
    confirmResolved: true, // a better answer that passed by chance would teach the opposite
    ...(spec.sandbox === undefined ? {} : { sandbox: spec.sandbox }),
    ...(spec.images === undefined ? {} : { images: spec.images }),
    ...(spec.parallelism === undefined ? {} : { parallelism: spec.parallelism }),
    ...(spec.cleanup === undefined ? {} : { cleanup: spec.cleanup }),
    ...(spec.suspend === undefined ? {} : { suspend: spec.suspend }),
  })
}
