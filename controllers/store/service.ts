import type { Log } from '../../operator/observe/log.ts'
import type { Service } from '../../operator/runtime.ts'
import type { World } from '../../operator/world.ts'
import type { ObjectStore } from './store.ts'

const AGAIN_MS = 2_000 // the embedded store's pod waits for our Secret and then takes a few seconds to start

/** Creates the bucket as soon as the store answers. Nothing waits for it: until then runs say StoreUnavailable. */
export function storeService(store: ObjectStore, world: World, log: Log): Service {
  const stop = new AbortController()
  let opening: Promise<void> = Promise.resolve()

  async function open(): Promise<void> {
    let complaint = ''
    while (!stop.signal.aborted) {
      try {
        await store.createBucketIfMissing(stop.signal)
        log.info({ bucket: store.bucket }, 'artifact store is open')
        return
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        if (message !== complaint && !stop.signal.aborted) log.warn({ bucket: store.bucket, err: error }, 'artifact store is not open yet')
        complaint = message
        await world.sleep(AGAIN_MS, stop.signal).catch(() => undefined)
      }
    }
  }

  return {
    name: 'store',
    runs: 'Always',
    start: async () => void (opening = open()),
    stop: async () => {
      stop.abort()
      await opening
      await store.close()
    },
  }
}
