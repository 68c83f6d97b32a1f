import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { resourceType } from '../api/object.ts'
import { createClient } from '../api/resource.ts'
import { createTransport } from '../api/transport.ts'
import { realWorld } from '../world.ts'
import { createCache } from './cache.ts'
import { ConsistencyGate } from './gate.ts'

const COUNT = 10_000
const LAG_LIMIT_MS = 50
const Pod = resourceType({ apiVersion: 'v1', kind: 'Pod', plural: 'pods', scope: 'Namespaced' })

let worker: Worker
let url: string

beforeEach(async () => {
  worker = new Worker(new URL('../testing/large-api-server.ts', import.meta.url), { workerData: { count: COUNT } })
  url = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
})
afterEach(async () => {
  await worker.terminate()
})

describe('a cache of 10,000 pods', () => {
  it('never holds the event loop for 50 ms while it lists them at once and sees each of them change', async () => {
    const lag = watchLongestTurn()
    await listAndFollow()
    expect(lag.end()).toBeLessThan(LAG_LIMIT_MS)
  }, 60_000)
})

async function listAndFollow(): Promise<void> {
  const transport = createTransport({ connection: { server: url, authorize: async () => {} }, world: realWorld })
  const gate = new ConsistencyGate(realWorld)
  const cache = createCache({ client: createClient(transport, { world: realWorld }), world: realWorld, gate, kinds: [{ type: Pod }] })
  let changed = 0
  const followed = new Promise<void>((resolve) => {
    cache.onChange(Pod, (before) => {
      if (before) changed += 1
      if (changed === COUNT) resolve()
    })
  })
  cache.start()
  await followed
  await cache.stop()
  await transport.close()
}

/** The longest turn of the event loop in milliseconds of this thread's own time: a busy machine does not count. */
function watchLongestTurn(): { end: () => number } {
  let spent = process.threadCpuUsage()
  let longestUs = 0
  const look = (): void => {
    const now = process.threadCpuUsage()
    longestUs = Math.max(longestUs, now.user + now.system - spent.user - spent.system)
    spent = now
    next = setImmediate(look)
  }
  let next = setImmediate(look)
  const end = (): number => {
    clearImmediate(next)
    return longestUs / 1000
  }
  return { end }
}
