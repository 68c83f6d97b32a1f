import { execFileSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { execFile } from 'node:child_process'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { issueAuthority, issueLeaf } from './certificate.ts'
import * as der from './der.ts'

const run = promisify(execFile)
const names = ['swe-operator-artifacts.swe-operator-system.svc', 'swe-operator-progress.swe-operator-system.svc', 'localhost']
const folder = mkdtempSync(join(tmpdir(), 'swe-operator-tls-'))
const file = (name: string): string => join(folder, name)

afterAll(() => rmSync(folder, { recursive: true }))

describe('an issued certificate', () => {
  const authority = issueAuthority(new Date())
  const leaf = issueLeaf(authority, names, new Date())

  beforeAll(() => {
    writeFileSync(file('ca.crt'), authority.certificate)
    writeFileSync(file('tls.crt'), leaf.certificate)
  })

  it('chains to its authority in the eyes of openssl, strictly', () => {
    const args = ['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', names[0] ?? '', '-CAfile', file('ca.crt'), file('tls.crt')]
    expect(execFileSync('openssl', args, { encoding: 'utf8' })).toContain('OK')
  })

  it('fits the private key that came with it', () => {
    expect(new X509Certificate(leaf.certificate).checkPrivateKey(createPrivateKey(leaf.key))).toBe(true)
    expect(new X509Certificate(authority.certificate).checkPrivateKey(createPrivateKey(authority.key))).toBe(true)
  })

  it('names both services and nothing else', () => {
    expect(new X509Certificate(leaf.certificate).subjectAltName).toBe(names.map((name) => `DNS:${name}`).join(', '))
  })

  it('marks what an authority may do as critical', () => {
    const text = execFileSync('openssl', ['x509', '-noout', '-text', '-in', file('ca.crt')], { encoding: 'utf8' })
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/)
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/)
  })

  it('is accepted by a strict Python client on a live connection', async () => {
    const server = createServer({ cert: leaf.certificate, key: leaf.key }, (_, response) => response.end('held'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const client = `
import ssl, urllib.request
context = ssl.create_default_context(cafile="${file('ca.crt')}")
context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
print(urllib.request.urlopen("https://localhost:${port}/", context=context, timeout=10).read().decode())`
    try {
      expect((await run('python3', ['-c', client])).stdout.trim()).toBe('held')
    } finally {
      server.close()
    }
  })
})

describe('what certificates are written in', () => {
  it.each([
    ['a small integer', der.integer(Buffer.from([0, 5])), '020105'],
    ['an integer whose top bit is set, kept positive', der.integer(Buffer.from([0x80])), '02020080'],
    ['zero', der.integer(Buffer.from([0, 0])), '020100'],
    ['an object identifier', der.oid('1.2.840.10045.4.3.2'), '06082a8648ce3d040302'],
    ['named bits without trailing zeroes', der.namedBits([5, 6]), '03020106'],
    ['a time before 2050', der.time(new Date('2026-11-21T10:11:12Z')), `170d${Buffer.from('261121101112Z').toString('hex')}`],
    ['a time after 2049', der.time(new Date('2051-01-02T03:04:05Z')), `180f${Buffer.from('20510102030405Z').toString('hex')}`],
  ])('writes %s', (_, written, hex) => {
    expect(written.toString('hex')).toBe(hex)
  })

  it.each([[127, 1], [128, 2], [255, 2], [256, 3], [65_535, 3]])('writes the length of %i bytes in %i', (size, lengthBytes) => {
    expect(der.octets(Buffer.alloc(size)).length).toBe(1 + lengthBytes + size)
  })
})
