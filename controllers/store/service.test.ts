import { expect, it } from 'vitest'

import { silentLog } from '../../operator/observe/log.ts'
import { createFakeWorld } from '../../operator/testing/fake-world.ts'
import { startFakeS3 } from '../testing/fake-s3.ts'
import { storeService } from './service.ts'
import { createObjectStore } from './store.ts'

const settings = { region: 'us-east-1', bucket: 'swe', pathStyle: true }
const key = async () => ({ accessKeyId: 'key', secretAccessKey: 'secret' })

it('a store that does not answer yet is asked again until it does, and nothing waits for it', async () => {
  const [s3, world] = [await startFakeS3('swe'), createFakeWorld()]
  const service = storeService(createObjectStore({ ...settings, endpoint: s3.endpoint }, key, world), world, silentLog)
  s3.answerNext(503, '')
  await service.start()
  while (s3.requests.length < 3) await world.advance(2_000)
  expect(s3.requests).toEqual(['HEAD /swe', 'HEAD /swe', 'PUT /swe'])
  await service.stop()
  await s3.close()
})

it('a store that never answers does not keep the operator from stopping', async () => {
  const world = createFakeWorld()
  const service = storeService(createObjectStore({ ...settings, endpoint: 'http://127.0.0.1:9' }, key, world), world, silentLog)
  await service.start()
  await expect(service.stop()).resolves.toBeUndefined()
})
