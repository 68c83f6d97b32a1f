import type { SWEBenchEval } from '../../../crds/swebench-eval.ts'
import { asAsked, type Samples } from '../../generation/samples.ts'
import { inputsOf } from '../../jobs/inputs.ts'
import type { ConfigMap } from '../../shared/kinds.ts'
import { buildSource, DATA_FOLDER, PREDICTIONS_FOLDER } from '../../shared/sources.ts'
import { uriOf, VERDICT_CACHE } from '../../store/keys.ts'
import { nodeSelectorOf, type Resolved } from '../resolve.ts'
import type { Settings } from '../settings.ts'

export function inputsName({ metadata }: SWEBenchEval): string {
  return `${metadata.name}-inputs-eval` // a run x-eval has x-eval-inputs
}

/** Those of the specification, or what the model has made. */
export type Predictions = Samples & Readonly<{ gold?: object | undefined }>

type Around = Readonly<{ settings: Settings; predictions: Predictions; caBundle: string }>

/** What the programs of an evaluation are told, and whom to trust. */
export function buildInputs(evaluation: SWEBenchEval, resolved: Resolved, around: Around): ConfigMap {
  return inputsOf(evaluation, { name: inputsName(evaluation), file: buildEvalFile(evaluation, resolved, around), caBundle: around.caBundle })
}

/** The file that prepare and report read. */
function buildEvalFile(evaluation: SWEBenchEval, resolved: Resolved, { settings, predictions }: Omit<Around, 'caBundle'>): Readonly<Record<string, unknown>> {
  const { metadata, spec } = evaluation
  const { instances } = spec
  const { baseline, flakeReruns, timeoutSeconds, harnessVersion, selectSeed, pinDigests } = resolved
  return {
    version: 1,
    eval: { namespace: metadata.namespace, name: metadata.name, uid: metadata.uid },
    instances: { source: buildSource(asAsked(instances, predictions), DATA_FOLDER), format: instances.format, select: { ...instances.select, seed: selectSeed } },
    predictions: predictions.gold === undefined ? { kind: 'Files', source: buildSource(predictions, PREDICTIONS_FOLDER) } : { kind: 'Gold' },
    baseline,
    flakeReruns,
    ...(spec.confirmResolved === true ? { confirmResolved: true } : {}),
    sandbox: { timeoutSeconds },
    images: { template: spec.images?.template, mirrors: spec.images?.mirrors, pinDigests },
    harnessVersion,
    ...(spec.dryRun === true ? { dryRun: true } : { cache: buildCache(evaluation, resolved, settings) }),
  }
}

/** Not for a dry run: what it finds is no verdict, and a verdict tells nothing that it asks. */
function buildCache(evaluation: SWEBenchEval, resolved: Resolved, settings: Settings): Readonly<Record<string, unknown>> {
  const uri = uriOf(settings.bucket, `${evaluation.metadata.namespace}/${VERDICT_CACHE}`)
  return { uri, predictions: resolved.cache, environment: buildEnvironment(evaluation, resolved, settings) }
}

/** What a verdict may depend on beside its patch, its image and the time of its tests. */
function buildEnvironment(evaluation: SWEBenchEval, { cpu, memory, ephemeralStorage, network, isolation }: Resolved, { harnessImage }: Settings): Readonly<Record<string, unknown>> {
  return { cpu, memory, ephemeralStorage, network, isolation, nodeSelector: nodeSelectorOf(evaluation), harnessImage }
}
