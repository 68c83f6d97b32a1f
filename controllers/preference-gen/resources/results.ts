import type { PreferenceGen } from '../../../crds/preference-gen.ts'
import type { SWEBenchEval } from '../../../crds/swebench-eval.ts'
import { ownedBy } from '../../../operator/meta/owner.ts'
import type { ConfigMap } from '../../shared/kinds.ts'
import { childLabels } from '../../shared/labels.ts'

export function resultsName({ metadata }: PreferenceGen): string {
  return `${metadata.name}-prefs-results`
}

/** Where the report finds what the evaluation came to. */
export function buildResults(generation: PreferenceGen, evaluation: SWEBenchEval): ConfigMap {
  const { name, uid } = evaluation.metadata
  const artifacts = Object.fromEntries((evaluation.status?.artifacts ?? []).map((artifact) => [artifact.name, artifact.uri]))
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: generation.metadata.namespace ?? '', name: resultsName(generation), labels: childLabels(generation), ownerReferences: [ownedBy(generation)] },
    data: { 'results.json': JSON.stringify({ version: 1, evaluation: { name, uid }, artifacts }) },
  }
}
