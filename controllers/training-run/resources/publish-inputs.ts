import type { TrainingRun, TrainingRunStatus } from '../../../crds/training-run.ts'
import { inputsOf } from '../../jobs/inputs.ts'
import type { ConfigMap } from '../../shared/kinds.ts'
import { HUB } from '../../shared/sources.ts'
import type { Resolved } from '../resolve.ts'
import { buildRunFile } from './config-map.ts'

export function publishInputsName({ metadata }: TrainingRun): string {
  return `${metadata.name}-inputs-publish` // a run x-publish has x-publish-inputs
}

/** What only the operator knows of a training that is over. */
export type Trained = Readonly<{ attempts: number; cost: TrainingRunStatus['cost']; gate: TrainingRunStatus['gate'] }>

/** What the program that publishes the result is told, and whom to trust. */
export function buildPublishInputs(run: TrainingRun, resolved: Resolved, trained: Trained, caBundle: string): ConfigMap {
  const file = { version: 1, hub: buildTarget(run), training: buildRunFile(run, resolved), cost: buildCost(trained), evaluation: buildEvaluation(run, trained) }
  return inputsOf(run, { name: publishInputsName(run), file, caBundle })
}

function buildTarget({ spec: { publish } }: TrainingRun): Readonly<Record<string, unknown>> | undefined {
  return publish && { repo: publish.hub.repo, endpoint: publish.hub.endpoint ?? HUB, private: publish.hub.private ?? true }
}

/** Absent where the status that told of it is lost. */
function buildCost({ attempts, cost }: Trained): Readonly<Record<string, unknown>> | undefined {
  return cost && { attempts, seconds: cost.seconds, gpuSeconds: cost.gpuSeconds, amount: cost.amount ?? null, currency: cost.currency ?? null }
}

/** Of its gate; absent where it has none. */
function buildEvaluation({ spec }: TrainingRun, { gate }: Trained): Readonly<Record<string, unknown>> | undefined {
  if (gate?.resolvedRate === undefined) return undefined
  const { evaluation: { name, resolved, total }, source, instances, resolvedRate, low, high, baseline } = gate
  return {
    name, source: source ?? null, instances: instances ?? null, resolved: resolved ?? null, total: total ?? null,
    resolvedRate, low: low ?? null, high: high ?? null,
    minResolvedRate: spec.gate?.minResolvedRate ?? null,
    baseline: baseline === undefined ? null : { ...baseline, resolvedRate: baseline.resolvedRate ?? null },
  }
}
