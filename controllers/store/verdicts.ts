import type { VerdictStore } from '../training-run/verdict-store.ts'
import { runKeys, runPrefix } from './keys.ts'
import type { ObjectStore } from './store.ts'

/** What the programs of a run left in the store. Undefined if there is nothing; rejects with StoreError. */
export function createVerdictStore(store: Pick<ObjectStore, 'getJson'>): VerdictStore {
  return {
    dataManifest: (run, signal) => store.getJson(runPrefix(run) + runKeys.dataManifest, signal),
    attemptVerdict: (run, attempt, signal) => store.getJson(runPrefix(run) + runKeys.attemptVerdict(attempt), signal),
    resultManifest: (run, signal) => store.getJson(runPrefix(run) + runKeys.resultManifest, signal),
  }
}
