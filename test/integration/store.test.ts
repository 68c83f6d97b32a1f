import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { createObjectStore, type ObjectStore } from '../../controllers/store/store.ts'
import { realWorld } from '../../operator/world.ts'
import { startVersitygw, type StoreServer } from '../world/versitygw.ts'

const KEY = { accessKeyId: 'swe-operator-test', secretAccessKey: 'not-a-secret-outside-of-this-test' }
const RUN = 'team-a/6f1a/'

let server: StoreServer
let store: ObjectStore

beforeAll(async () => {
  server = await startVersitygw(KEY)
  store = open(KEY)
})

afterAll(async () => {
  await store.close()
  await server.stop()
})

describe('the embedded store', () => {
  it('has no bucket before the operator starts, and exactly one however often it starts', async () => {
    await expect(store.getJson(`${RUN}result/manifest.json`)).rejects.toMatchObject({ code: 'NoBucket', retryable: true })
    // versitygw answers 500 to the loser of a race; the loser comes again and finds the bucket.
    await Promise.allSettled([store.createBucketIfMissing(), store.createBucketIfMissing()])
    await store.createBucketIfMissing()
    expect(await store.getJson(`${RUN}result/manifest.json`)).toBeUndefined()
  })

  it('takes a presigned PUT once and then answers 412', async () => {
    const { url, headers } = await store.presign('PUT', `${RUN}data/pod 1/träin+1.jsonl`)
    expect(await put(url, headers, 'first')).toBe(200)
    expect(await put(url, headers, 'second')).toBe(412)
    const read = await store.presign('GET', `${RUN}data/pod 1/träin+1.jsonl`)
    expect(await (await request(read.url, { headers: read.headers })).body.text()).toBe('first')
  })

  it('lets one of many commit markers win', async () => {
    const outcomes = await Promise.all([1, 2, 3, 4, 5].map((winner) => store.putJsonOnce(`${RUN}data/manifest.json`, { winner })))
    expect(outcomes.filter((outcome) => outcome === 'Written')).toHaveLength(1)
    expect(await store.getJson(`${RUN}data/manifest.json`)).toEqual({ winner: outcomes.indexOf('Written') + 1 })
  })

  it('refuses a URL whose key, method or condition was changed', async () => {
    const { url, headers } = await store.presign('PUT', `${RUN}data/mine.jsonl`)
    expect(await put(url.replace('mine.jsonl', 'theirs.jsonl'), headers, 'x')).toBe(403)
    expect(await put(url.replace(encodeURI(RUN), 'team-b/0001/'), headers, 'x')).toBe(403)
    expect(await put(url, {}, 'x')).toBe(403)
    expect((await request(url, { headers })).statusCode).toBe(403)
  })

  it('refuses a wrong key, and the error says so', async () => {
    const stranger = open({ ...KEY, secretAccessKey: 'guessed' })
    await expect(stranger.getJson(`${RUN}data/manifest.json`)).rejects.toMatchObject({ code: 'Denied' })
    await stranger.close()
  })

  it('lists every page', async () => {
    const names = Array.from({ length: 1100 }, (_, i) => `${RUN}checkpoints/a1/step-1/part-${String(i).padStart(4, '0')}`)
    for (let i = 0; i < names.length; i += 50) {
      await Promise.all(names.slice(i, i + 50).map((key) => store.putJsonOnce(key, 1)))
    }
    const listed = await store.list(`${RUN}checkpoints/`, 10_000)
    expect(listed.map(({ key }) => key)).toEqual(names)
    expect(listed[0]?.sizeBytes).toBe(1)
    await expect(store.list(`${RUN}checkpoints/`, 1000)).rejects.toMatchObject({ code: 'TooLarge' })
  })

  it('shows what a listing cannot say plainly', async () => {
    const key = `${RUN}odd/<a> & "b" 'c' é%41.json`
    await store.putJsonOnce(key, 1)
    expect((await store.list(`${RUN}odd/`, 10)).map((object) => object.key)).toEqual([key])
    expect(await store.getJson(key)).toBe(1)
  })
})

function open(credentials: typeof KEY): ObjectStore {
  return createObjectStore({ endpoint: server.endpoint, region: 'us-east-1', bucket: 'swe-operator', pathStyle: true }, async () => credentials, realWorld)
}

async function put(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<number> {
  const answer = await request(url, { method: 'PUT', headers, body })
  await answer.body.dump()
  return answer.statusCode
}
