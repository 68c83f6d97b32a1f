import { runKeys, runPrefix, type RunPrefix } from './keys.ts'
import type { ObjectStore } from './store.ts'

/** The commit markers that programs left, as parsed JSON; undefined where there is none. May reject with StoreError. */
export type ManifestStore = Readonly<{
  samplesManifest(of: RunPrefix, signal?: AbortSignal): Promise<unknown>
  dataManifest(of: RunPrefix, signal?: AbortSignal): Promise<unknown>
  reportManifest(of: RunPrefix, signal?: AbortSignal): Promise<unknown>
}>

export function createManifestStore(store: Pick<ObjectStore, 'getJson'>): ManifestStore {
  return {
    samplesManifest: (of, signal) => store.getJson(runPrefix(of) + runKeys.samplesManifest, signal),
    dataManifest: (of, signal) => store.getJson(runPrefix(of) + runKeys.dataManifest, signal),
    reportManifest: (of, signal) => store.getJson(runPrefix(of) + runKeys.reportManifest, signal),
  }
}
