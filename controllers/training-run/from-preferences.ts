// The PreferenceGen whose pairs a run learns from: waited for, then frozen.
import type { PreferenceGen } from '../../crds/preference-gen.ts'
import type { TrainingRun, TrainingRunPairs } from '../../crds/training-run.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { isComplete } from '../shared/lifecycle.ts'
import { waitFor } from '../shared/references.ts'
import type { Observed } from './observed.ts'
import { conclude } from './reasons.ts'

const FIELD = 'spec.data.preferences.fromPreferenceGen'
const PAIRS = 'preferences-chat.jsonl' // as a chat API is asked; the preparation makes text of it for models without a chat template

/** Policy: where the pairs lie is taken down in the status before anything is made of them. */
export function followPreferences(seen: Observed): Verdict | undefined {
  const name = awaitedPreferences(seen.run)
  if (name === undefined) return undefined
  return waitFor({ field: FIELD, kind: 'PreferenceGen', name, found: seen.referredPreferences }, conclude) ?? begin(name, describePairs(seen))
}

/** Frozen once the PreferenceGen is complete and has pairs; undefined before. */
export function describePairs({ run, referredPreferences }: Pick<Observed, 'run' | 'referredPreferences'>): TrainingRunPairs | undefined {
  if (awaitedPreferences(run) === undefined || referredPreferences === undefined) return run.status?.fromPreferenceGen
  return isComplete(referredPreferences) ? pairsIn(referredPreferences) : undefined
}

/** The name of the PreferenceGen that this one waits for. */
export function awaitedPreferences({ spec, status }: TrainingRun): string | undefined {
  return status?.fromPreferenceGen === undefined ? spec.data.preferences?.fromPreferenceGen?.name : undefined
}

function begin(name: string, pairs: TrainingRunPairs | undefined): Verdict {
  if (pairs !== undefined) return conclude('Preparing', `PreferenceGen ${name} is complete: its ${pairs.pairs} pairs at ${pairs.uri} are what is learned from.`)
  return conclude('UnusableReference', `PreferenceGen ${name} is complete and has no pair to learn from; its status.counts and status.dropped say why. Delete it and create one with more samples of that name, or name another one in a new TrainingRun.`)
}

function pairsIn({ metadata: { name, uid = '' }, status }: PreferenceGen): TrainingRunPairs | undefined {
  const file = status?.artifacts?.find((artifact) => artifact.name === PAIRS)
  const pairs = status?.counts?.pairs ?? 0
  return file === undefined || pairs === 0 ? undefined : { name, uid, uri: file.uri, sha256: file.sha256, pairs }
}
