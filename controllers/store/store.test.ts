import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { createFakeWorld } from '../../operator/testing/fake-world.ts'
import { createFakeSecret } from '../testing/fake-secret.ts'
import { embeddedCredentials, mountedCredentials, STORE_SECRET } from './credentials.ts'
import { startFakeS3, type FakeS3 } from '../testing/fake-s3.ts'
import { createObjectStore, type ObjectStore } from './store.ts'

const SECRET_KEY = 'do-not-show-this'
let s3: FakeS3
let store: ObjectStore

beforeEach(async () => {
  s3 = await startFakeS3('swe')
  const credentials = async () => ({ accessKeyId: 'key', secretAccessKey: SECRET_KEY })
  store = createObjectStore({ endpoint: s3.endpoint, region: 'us-east-1', bucket: 'swe', pathStyle: true }, credentials, createFakeWorld())
})
afterEach(async () => {
  await store.close()
  await s3.close()
})

describe('the store', () => {
  it('knows nothing of an object that is not there', async () => {
    expect(await store.getJson('ns/uid/result/manifest.json')).toBeUndefined()
  })

  it('writes an object once and then says that it exists', async () => {
    expect(await store.putJsonOnce('ns/uid/data/manifest.json', { version: 1 })).toBe('Written')
    expect(await store.putJsonOnce('ns/uid/data/manifest.json', { version: 2 })).toBe('Exists')
    expect(await store.getJson('ns/uid/data/manifest.json')).toEqual({ version: 1 })
  })

  it('lists all pages, whatever the keys look like', async () => {
    const keys = ['a', 'b&c', 'd<e>', 'f g', 'h', 'i', 'ü'].map((name) => `ns/uid/data/${name}`)
    for (const key of keys) s3.objects.set(key, 'x')
    const listed = await store.list('ns/uid/data/', 10)
    expect(listed.map(({ key }) => key)).toEqual([...keys].sort())
    expect(listed[0]).toEqual({ key: 'ns/uid/data/a', sizeBytes: 1, lastModifiedTime: '2026-11-21T10:00:00.000Z' })
  })

  it('refuses to list without an end', async () => {
    for (let i = 0; i < 9; i += 1) s3.objects.set(`ns/uid/${i}`, 'x')
    await expect(store.list('ns/uid/', 5)).rejects.toMatchObject({ code: 'TooLarge', retryable: false })
  })

  it.each([
    [403, '<Error><Code>SignatureDoesNotMatch</Code></Error>', 'Denied', true],
    [404, '<Error><Code>NoSuchBucket</Code></Error>', 'NoBucket', true],
    [503, '<Error><Code>SlowDown</Code></Error>', 'Unavailable', true],
    [400, '<Error><Code>InvalidArgument</Code></Error>', 'Refused', true],
    [301, '<Error><Code>PermanentRedirect</Code></Error>', 'Refused', true],
    [200, '{"half":', 'Malformed', false],
  ])('tells what a %i with %s means', async (status, body, code, retryable) => {
    s3.answerNext(status, body)
    await expect(store.getJson('ns/uid/x')).rejects.toMatchObject({ code, retryable })
  })

  it('says that nobody answers without showing what was signed', async () => {
    await s3.close()
    const error = await store.getJson('ns/uid/x').catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'Unreachable', retryable: true })
    expect(String(error)).not.toContain('Signature')
    expect(String(error)).not.toContain(SECRET_KEY)
  })

  it('keeps an answer that is too long out of memory', async () => {
    s3.objects.set('ns/uid/x', 'x'.repeat(5 * 1024 * 1024))
    await expect(store.getJson('ns/uid/x')).rejects.toMatchObject({ code: 'TooLarge' })
  })

  it('signs a PUT so that it can only create, for one hour', async () => {
    const { url, headers } = await store.presign('PUT', 'ns/uid/data/p 1/a+b.jsonl')
    const query = new URL(url).searchParams
    expect(headers).toEqual({ 'If-None-Match': '*' })
    expect(query.get('X-Amz-SignedHeaders')).toBe('host;if-none-match')
    expect(query.get('X-Amz-Expires')).toBe('3600')
    expect(new URL(url).pathname).toBe('/swe/ns/uid/data/p%201/a%2Bb.jsonl')
  })
})

describe('a store with a host name for each bucket', () => {
  it('is asked by that name', async () => {
    const settings = { endpoint: 'https://s3.example.com', region: 'eu-central-1', bucket: 'swe', pathStyle: false }
    const hosted = createObjectStore(settings, async () => ({ accessKeyId: 'key', secretAccessKey: SECRET_KEY }), createFakeWorld())
    expect((await hosted.presign('GET', 'ns/uid/x')).url).toMatch(/^https:\/\/swe\.s3\.example\.com\/ns\/uid\/x\?/)
    await hosted.close()
  })
})

describe('the key of the embedded store', () => {
  it('is made once, whoever starts first', async () => {
    const secret = createFakeSecret(STORE_SECRET)
    const [one, other] = await Promise.all([embeddedCredentials(secret)(), embeddedCredentials(secret)()])
    expect(one).toEqual(other)
    expect(one.secretAccessKey.length).toBeGreaterThanOrEqual(40)
  })

  it('is not made up when the Secret is there but empty', async () => {
    const secret = createFakeSecret(STORE_SECRET)
    secret.put({})
    await expect(embeddedCredentials(secret)()).rejects.toThrow('Secret swe-operator-store must hold accessKeyId')
  })
})

describe('the key of an external store', () => {
  it('is read again after it was rotated', async () => {
    const [world, directory] = [createFakeWorld(), await mkdtemp(join(tmpdir(), 'swe-operator-store-'))]
    const write = (id: string) => Promise.all([writeFile(join(directory, 'accessKeyId'), `${id}\n`), writeFile(join(directory, 'secretAccessKey'), 's')])
    await write('one')
    const credentials = mountedCredentials(directory, world)
    expect((await credentials()).accessKeyId).toBe('one')
    await write('two')
    await world.advance(30_000)
    expect((await credentials()).accessKeyId).toBe('two')
    await rm(directory, { recursive: true })
  })
})
