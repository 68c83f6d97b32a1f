// The PreferenceGen whose pairs a run learns from.
import type { PreferenceGen } from '../../crds/preference-gen.ts'
import type { TrainingRun, TrainingRunPairs } from '../../crds/training-run.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { follow, takenFrom, type Followed } from './followed.ts'
import type { Observed } from './observed.ts'

const PAIRS = 'preferences-chat.jsonl' // as a chat API is asked; the preparation makes text of it for models without a chat template

type Seen = Pick<Observed, 'run' | 'referredPreferences'>

/** Policy. */
export function followPreferences(seen: Observed): Verdict | undefined {
  return follow(followed(seen))
}

export function describePairs(seen: Seen): TrainingRunPairs | undefined {
  return takenFrom(followed(seen))
}

/** The name of the PreferenceGen that this one waits for. */
export function awaitedPreferences({ spec, status }: TrainingRun): string | undefined {
  return status?.fromPreferenceGen === undefined ? spec.data.preferences?.fromPreferenceGen?.name : undefined
}

function followed({ run, referredPreferences }: Seen): Followed<PreferenceGen, TrainingRunPairs> {
  return {
    field: 'spec.data.preferences.fromPreferenceGen',
    kind: 'PreferenceGen',
    name: awaitedPreferences(run),
    found: referredPreferences,
    taken: run.status?.fromPreferenceGen,
    take: pairsIn,
    tells: ({ pairs, uri }) => `its ${pairs} pairs at ${uri} are what is learned from.`,
    lacks: () => 'has no pair to learn from; its status.counts and status.dropped say why. Delete it and create one with more samples of that name, or name another one in a new TrainingRun.',
  }
}

function pairsIn({ metadata: { name, uid = '' }, status }: PreferenceGen): TrainingRunPairs | undefined {
  const file = status?.artifacts?.find((artifact) => artifact.name === PAIRS)
  const pairs = status?.counts?.pairs ?? 0
  return file === undefined || pairs === 0 ? undefined : { name, uid, uri: file.uri, sha256: file.sha256, pairs }
}
