import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openPki, writeKubeconfig } from './pki.ts'

let directory: string
beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'swe-operator-pki-')) })
afterEach(() => rm(directory, { recursive: true }))

const read = async (path: string) => new X509Certificate(await readFile(path))

describe('the local certificate authority', () => {
  it('issues certificates whose groups are organizations and whose names are alternative names', async () => {
    const pki = await openPki(join(directory, 'pki'))
    const { certPath } = await pki.issue('alice', { commonName: 'alice', organizations: ['dev', 'ops'], alternativeNames: ['IP:10.0.0.1'] })
    const certificate = await read(certPath)
    expect(certificate.subject.split('\n').sort()).toEqual(['CN=alice', 'O=dev', 'O=ops'])
    expect(certificate.subjectAltName).toBe('IP Address:10.0.0.1')
    expect(certificate.verify((await read(pki.caPath)).publicKey)).toBe(true)
  })
  it('is the same one when it is opened again, and issues nothing twice', async () => {
    const first = await (await openPki(join(directory, 'pki'))).issue('admin', { commonName: 'admin' })
    const before = await readFile(first.certPath, 'utf8')
    const again = await (await openPki(join(directory, 'pki'))).issue('admin', { commonName: 'admin' })
    expect(await readFile(again.certPath, 'utf8')).toBe(before)
  })
})

describe('a kubeconfig', () => {
  it('carries its certificates, so that it works from anywhere', async () => {
    const pki = await openPki(join(directory, 'pki'))
    const path = join(directory, 'admin.kubeconfig')
    await writeKubeconfig(path, 'https://10.201.0.2:6443', pki.caPath, await pki.issue('admin', { commonName: 'admin' }))
    const written = await readFile(path, 'utf8')
    expect(written).toContain((await readFile(pki.caPath)).toString('base64'))
    expect(written).not.toContain(directory)
    expect(JSON.parse(written)).toMatchObject({ clusters: [{ cluster: { server: 'https://10.201.0.2:6443' } }] })
  })
})
