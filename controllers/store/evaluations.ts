import type { Unit } from '../../operator/fan-out/task.ts'
import type { GradingStore } from '../swebench-eval/grading.ts'
import { readGradeVerdict, readIndex } from '../swebench-eval/verdicts.ts'
import { evalKeys, runPrefix, VERDICTS } from './keys.ts'
import { createManifestStore, type ManifestStore } from './manifests.ts'
import type { ObjectStore } from './store.ts'

const MOST_VERDICTS = 100_000 // ten thousand predictions, each tried ten times

/** What the programs and sandboxes of evaluations left in the store. Every call may reject with StoreError. */
export function createEvaluationStore(store: Pick<ObjectStore, 'getJson' | 'list'>): ManifestStore & GradingStore {
  return {
    ...createManifestStore(store),
    index: async (of, prefix) => readIndex(await store.getJson(runPrefix(of) + evalKeys.index(prefix))),
    verdict: async (of, unit) => readGradeVerdict(await store.getJson(runPrefix(of) + evalKeys.verdict(unit))).verdict,
    ended: async (of) => (await store.list(runPrefix(of) + VERDICTS, MOST_VERDICTS)).flatMap(({ key }) => unitIn(key)),
  }
}

function unitIn(key: string): readonly Unit[] {
  const [, ordinal, attempt] = /\/(\d+)\/(\d+)\.json$/.exec(key) ?? []
  return ordinal === undefined || attempt === undefined ? [] : [{ ordinal: Number(ordinal), attempt: Number(attempt) }]
}
