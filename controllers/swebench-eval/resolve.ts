import type { ResolvedPrices } from '../../crds/generation-status.ts'
import type { SWEBenchEval, SWEBenchEvalStatus } from '../../crds/swebench-eval.ts'
import { isHeldState } from '../generation/reasons.ts'
import { resolveGeneration } from '../generation/resolve.ts'
import { HARNESS_VERSION } from '../shared/harness.ts'
import type { Settings } from './settings.ts'

type Shown = NonNullable<SWEBenchEvalStatus['resolved']>
export type Resolved = Readonly<{ [Field in Exclude<keyof Shown, keyof ResolvedPrices>]-?: NonNullable<Shown[Field]> }> & ResolvedPrices

const TIMEOUT_SECONDS = { SWEBench: 1800, SWESmith: 240, SWEBenchPro: 3600 } // the official harnesses; swesmith's own profiles, with room
const MEMORY = { SWEBench: '4Gi', SWESmith: '4Gi', SWEBenchPro: '8Gi' } // Pro's harness reserves 5 GiB and lets tests take more
const SEED = 42

/** The values in force. What the status already shows stays, so that an operator with other defaults does not change an evaluation in the middle. */
export function resolve(evaluation: SWEBenchEval, settings: Pick<Settings, 'imagePullPolicy' | 'pools' | 'currency'>): Resolved {
  const { spec, status } = evaluation
  const { sandbox, images, instances } = spec
  const defaults: Resolved = {
    harnessVersion: HARNESS_VERSION,
    timeoutSeconds: sandbox?.timeoutSeconds ?? TIMEOUT_SECONDS[instances.format],
    pullTimeoutSeconds: images?.pullTimeoutSeconds ?? 1800,
    cpu: String(sandbox?.resources?.cpu ?? 1),
    memory: sandbox?.resources?.memory ?? MEMORY[instances.format],
    ephemeralStorage: sandbox?.resources?.ephemeralStorage ?? '10Gi',
    network: sandbox?.network ?? 'Deny',
    isolation: sandbox?.isolation ?? 'Required',
    infrastructureRetries: sandbox?.infrastructureRetries ?? 3,
    flakeReruns: spec.flakeReruns ?? 0,
    selectSeed: instances.select?.seed ?? SEED,
    baseline: spec.baseline ?? 'Skip',
    cache: spec.cache ?? 'Use',
    // What is never pulled is known on its node alone, where it may have no digest.
    pinDigests: images?.pinDigests ?? (settings.imagePullPolicy === 'Never' ? 'Never' : 'BestEffort'),
    ...resolveGeneration(evaluation, SEED, settings),
  }
  return { ...defaults, ...Object.fromEntries(Object.entries(status?.resolved ?? {}).filter(([, value]) => value !== undefined)) }
}

const PARALLELISM = 16

/** Sandboxes at once; none while it is suspended, or held by its budget. */
export function windowOf({ spec, status }: SWEBenchEval): number {
  return spec.suspend === true || isHeldState(status?.state) ? 0 : (spec.parallelism ?? PARALLELISM)
}

/** Labels of the nodes that sandboxes may have. */
export function nodeSelectorOf({ spec }: SWEBenchEval): Readonly<Record<string, string>> {
  return spec.sandbox?.nodeSelector ?? { 'kubernetes.io/arch': 'amd64' }
}
