import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFakeWorld } from '../testing/fake-world.ts'
import { connect } from './kubeconfig.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubeconfig-'))
})
afterEach(async () => {
  await rm(dir, { recursive: true })
})

const inPod = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' }

async function aServiceAccount(token: string): Promise<void> {
  await writeFile(join(dir, 'token'), `${token}\n`)
  await writeFile(join(dir, 'ca.crt'), 'the CA')
}

async function authorized(connection: Awaited<ReturnType<typeof connect>>): Promise<Record<string, string>> {
  const headers = {}
  await connection.authorize(headers)
  return headers
}

describe('inside a pod', () => {
  it('the service account is used', async () => {
    await aServiceAccount('first')
    const connection = await connect({ world: createFakeWorld(), env: inPod, serviceAccountDir: dir })
    expect(connection.server).toBe('https://10.0.0.1:6443')
    expect(String(connection.ca)).toBe('the CA')
    expect(await authorized(connection)).toEqual({ authorization: 'Bearer first' })
  })

  it('an IPv6 address is written as a URL wants it', async () => {
    await aServiceAccount('first')
    const connection = await connect({ world: createFakeWorld(), env: { ...inPod, KUBERNETES_SERVICE_HOST: 'fd00::1' }, serviceAccountDir: dir })
    expect(connection.server).toBe('https://[fd00::1]:6443')
  })

  it('a renewed token is used within a minute, and a missing one does not hurt', async () => {
    await aServiceAccount('first')
    const world = createFakeWorld()
    const connection = await connect({ world, env: inPod, serviceAccountDir: dir })
    await writeFile(join(dir, 'token'), 'second')
    expect(await authorized(connection)).toEqual({ authorization: 'Bearer first' })
    await world.advance(60_000)
    expect(await authorized(connection)).toEqual({ authorization: 'Bearer second' })
    await rm(join(dir, 'token'))
    await world.advance(60_000)
    expect(await authorized(connection)).toEqual({ authorization: 'Bearer second' })
  })

  it('a pod without a token fails at its start', async () => {
    await expect(connect({ world: createFakeWorld(), env: inPod, serviceAccountDir: dir })).rejects.toThrow(/ENOENT/)
  })
})

describe('outside a cluster', () => {
  const config = (user: object) => ({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:6443/', 'certificate-authority-data': Buffer.from('the CA').toString('base64') } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  })

  it('the kubeconfig is used, with a token', async () => {
    const path = join(dir, 'config')
    await writeFile(path, JSON.stringify(config({ token: 'secret' })))
    const connection = await connect({ world: createFakeWorld(), env: {}, kubeconfig: path })
    expect(connection.server).toBe('https://127.0.0.1:6443')
    expect(String(connection.ca)).toBe('the CA')
    expect(await authorized(connection)).toEqual({ authorization: 'Bearer secret' })
  })

  it('an auth plug-in is asked for the token', async () => {
    const path = join(dir, 'config')
    const credential = JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token: 'from-plugin' } })
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'echo', args: [credential], interactiveMode: 'Never' }
    await writeFile(path, JSON.stringify(config({ exec })))
    const connection = await connect({ world: createFakeWorld(), env: inPod, kubeconfig: path })
    expect(await authorized(connection)).toEqual({ authorization: 'Bearer from-plugin' })
  })

  it('a kubeconfig without a cluster is refused with what to do', async () => {
    const path = join(dir, 'config')
    await writeFile(path, '{}')
    await expect(connect({ world: createFakeWorld(), env: {}, kubeconfig: path })).rejects.toThrow('kubectl config use-context')
  })
})
