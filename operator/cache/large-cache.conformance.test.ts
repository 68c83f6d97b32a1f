import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { resourceType, type KubeObject } from '../api/object.ts'
import { createClient } from '../api/resource.ts'
import { createTransport } from '../api/transport.ts'
import { realWorld } from '../world.ts'
import { createCache } from './cache.ts'
import { ConsistencyGate } from './gate.ts'

const COUNT = 10_000
const MOST_PER_TURN = 500
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
  it('lets go of the event loop again and again while it lists them at once and sees each of them change', async () => {
    const { most, handled, end } = countPerTurn()
    await listAndFollow(handled)
    end()
    expect(most()).toBeLessThan(MOST_PER_TURN)
  }, 60_000)
})

/** `handled` is told of each object that is read, and of each that the cache then holds. */
async function listAndFollow(handled: () => void): Promise<void> {
  const transport = createTransport({ connection: { server: url, authorize: async () => {} }, world: realWorld })
  const gate = new ConsistencyGate(realWorld)
  const read = (pod: KubeObject): KubeObject => {
    handled()
    return pod
  }
  const cache = createCache({ client: createClient(transport, { world: realWorld }), world: realWorld, gate, kinds: [{ type: Pod, project: read }] })
  let changed = 0
  const followed = new Promise<void>((resolve) => {
    cache.onChange(Pod, (before) => {
      handled()
      if (before) changed += 1
      if (changed === COUNT) resolve()
    })
  })
  cache.start()
  await followed
  await cache.stop()
  await transport.close()
}

/** The most that was handled in one turn of the event loop; how long a turn takes is for `npm run bench -- operator` to say. */
function countPerTurn(): Readonly<{ handled: () => void; most: () => number; end: () => void }> {
  let [inThisTurn, most] = [0, 0]
  const look = (): void => {
    inThisTurn = 0
    next = setImmediate(look)
  }
  let next = setImmediate(look)
  return {
    handled: () => {
      inThisTurn += 1
      most = Math.max(most, inThisTurn)
    },
    most: () => most,
    end: () => clearImmediate(next),
  }
}
