import type { PreferenceGen } from '../../crds/preference-gen.ts'
import { reportFileOf } from '../world/evaluations.ts'
import type { Place } from '../world/site.ts'
import { viewStore, type StoreView } from '../world/store-view.ts'
import { storedSamples } from '../world/stored-samples.ts'

/** What a PreferenceGen came to, by what lies in the store: each sample once as `instance sample seed sha256`, and how often things were done. */
export type ChainOutcome = Readonly<{
  samples: readonly string[]
  pairs: string
  /** Samples that a later pod made again though an earlier one had stored them. */
  storedTwice: number
  /** By patch: how many verdicts of its tests there are. */
  verdicts: ReadonlyMap<string, number>
}>

const BUCKET = 's3://swe-operator'

export async function chainOutcome(place: Place, made: PreferenceGen): Promise<ChainOutcome> {
  const lines = await storedSamples(place, made)
  const store = await viewStore(place.site)
  try {
    const samples = [...new Set(lines)].toSorted()
    const pairs = await reportFileOf(place.site, made, 'preferences.jsonl')
    return { samples, pairs, storedTwice: lines.length - samples.length, verdicts: await verdictsOf(store, place, made) }
  } finally {
    await store.close()
  }
}

/** How many verdicts there are beyond those of an undisturbed one, which must have some: beside nothing nothing is tested again. */
export function testedAgain(got: Pick<ChainOutcome, 'verdicts'>, wanted: Pick<ChainOutcome, 'verdicts'>): number {
  if (wanted.verdicts.size === 0) throw new Error('the undisturbed one has no verdict to compare with')
  return [...got.verdicts].reduce((sum, [patch, count]) => sum + Math.max(0, count - (wanted.verdicts.get(patch) ?? 0)), 0)
}

/** By the uid that its status tells, which outlives the evaluation. */
export function evaluationOf({ metadata: { name }, status }: Pick<PreferenceGen, 'metadata' | 'status'>): string {
  const uid = status?.evaluation?.uid
  if (uid === undefined) throw new Error(`PreferenceGen ${name} does not say which SWEBenchEval graded it`)
  return uid
}

async function verdictsOf(store: StoreView, place: Place, made: PreferenceGen): Promise<ReadonlyMap<string, number>> {
  const uid = evaluationOf(made)
  const counts = new Map<string, number>()
  for (const uri of await store.list(`${BUCKET}/${place.namespace}/${uid}/verdicts/`)) {
    const patch = uri.split('/').at(-2) ?? ''
    counts.set(patch, (counts.get(patch) ?? 0) + 1)
  }
  return counts
}
