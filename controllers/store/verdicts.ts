import type { RunIdentity, VerdictStore } from '../training-run/verdict-store.ts'
import { runKeys, runPrefix } from './keys.ts'
import type { ObjectStore } from './store.ts'

const MOST_PODS = 100 // of one attempt; the program in the pod gives up numbering there too

/** What the programs of a run left in the store. Undefined if there is nothing; rejects with StoreError. */
export function createVerdictStore(store: Pick<ObjectStore, 'getJson'>): VerdictStore {
  return {
    dataManifest: (run, signal) => store.getJson(runPrefix(run) + runKeys.dataManifest, signal),
    attemptVerdict: (run, attempt, signal) => lastVerdict(store, run, attempt, signal),
    resultManifest: (run, signal) => store.getJson(runPrefix(run) + runKeys.resultManifest, signal),
    publishManifest: (run, signal) => store.getJson(runPrefix(run) + runKeys.publishManifest, signal),
  }
}

/** Of the pods that one attempt had, one after the other, the last that left a verdict. */
async function lastVerdict(store: Pick<ObjectStore, 'getJson'>, run: RunIdentity, attempt: number, signal?: AbortSignal): Promise<unknown> {
  let last: unknown
  for (let pod = 1; pod <= MOST_PODS; pod += 1) {
    const verdict = await store.getJson(runPrefix(run) + runKeys.attemptVerdict(attempt, pod), signal)
    if (verdict === undefined) break
    last = verdict
  }
  return last
}
