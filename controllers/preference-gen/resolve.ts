import type { ResolvedPrices } from '../../crds/generation-status.ts'
import type { PreferenceGen, PreferenceGenStatus } from '../../crds/preference-gen.ts'
import { HARNESS_VERSION } from '../shared/harness.ts'
import { resolveGeneration } from '../generation/resolve.ts'
import type { Settings } from './settings.ts'

type Shown = NonNullable<PreferenceGenStatus['resolved']>
export type Resolved = Readonly<{ [Field in Exclude<keyof Shown, keyof ResolvedPrices>]-?: NonNullable<Shown[Field]> }> & ResolvedPrices

const SEED = 42
const PAIRS_PER_INSTANCE = 3 // what SWE-smith keeps of an instance's trajectories

/** The values in force. What the status already shows stays, so that an operator with other defaults does not change pairs in the middle. */
export function resolve(generation: PreferenceGen, settings: Pick<Settings, 'pools' | 'currency'>): Resolved {
  const { spec: { pairs, split, instances }, status } = generation
  const defaults: Resolved = {
    harnessVersion: HARNESS_VERSION,
    selectSeed: instances.select?.seed ?? SEED,
    chosen: pairs?.chosen ?? 'Passing',
    rejected: pairs?.rejected ?? ['Failing'],
    maxPerInstance: pairs?.maxPerInstance ?? PAIRS_PER_INSTANCE,
    lengthBalance: pairs?.lengthBalance ?? 'EachPair',
    pairSeed: pairs?.seed ?? SEED,
    splitSeed: split?.seed ?? pairs?.seed ?? SEED,
    ...resolveGeneration(generation, SEED, settings),
  }
  return { ...defaults, ...Object.fromEntries(Object.entries(status?.resolved ?? {}).filter(([, value]) => value !== undefined)) }
}
