import { describe, expect, it } from 'vitest'

import { FakeApiServer } from '../../operator/testing/fake-api-server.ts'
import { createFakeWorld } from '../../operator/testing/fake-world.ts'
import { ownSecret, type OwnSecret } from './own-secret.ts'

const server = () => new FakeApiServer(createFakeWorld())
const secretOn = (api: FakeApiServer): OwnSecret => ownSecret(() => api.connect(), { namespace: 'swe-operator-system', name: 'swe-operator-tls' })

describe('a Secret of the operator', () => {
  it('is absent until it is made', async () => {
    expect(await secretOn(server()).read()).toBeUndefined()
  })

  it('comes back as it was written', async () => {
    const secret = secretOn(server())
    await secret.create({ key: 'schlüssel\n' })
    expect((await secret.read())?.data).toEqual({ key: 'schlüssel\n' })
  })

  it('is made by the first of two replicas and read by the second', async () => {
    const api = server()
    await secretOn(api).create({ key: 'first' })
    expect((await secretOn(api).create({ key: 'second' })).data).toEqual({ key: 'first' })
    expect(api.writes).toHaveLength(1)
  })

  it('is replaced by whoever saw its latest version', async () => {
    const secret = secretOn(server())
    const { version } = await secret.create({ key: 'old', other: 'kept' })
    expect((await secret.replace(version, { key: 'new' })).data).toEqual({ key: 'new', other: 'kept' })
    await expect(secret.replace(version, { key: 'late' })).rejects.toMatchObject({ code: 409 })
  })
})
