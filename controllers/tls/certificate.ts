import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign, X509Certificate, type KeyObject } from 'node:crypto'

import * as der from './der.ts'

/** A certificate and its private key, both PEM. */
export type KeyPair = Readonly<{ certificate: string; key: string }>

const DAY_MS = 86_400_000
export const LEAF_LIFETIME_MS = 90 * DAY_MS // short enough that renewal is exercised, long enough to survive a month of absence
export const CA_LIFETIME_MS = 5 * 365 * DAY_MS // clients cache the CA for a whole training run, so it moves rarely
const CLOCK_SKEW_MS = 3_600_000 // nodes whose clock is behind ours must accept a fresh certificate

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'
const COMMON_NAME = '2.5.4.3'
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const KEY_USAGE = { digitalSignature: 0, keyCertSign: 5, cRLSign: 6 } as const

/** A self-signed ECDSA P-256 authority with what strict verifiers (Python 3.13) ask of one. */
export function issueAuthority(now: Date): KeyPair {
  const { key, publicKey } = newKey()
  const name = `swe-operator CA ${randomBytes(4).toString('hex')}` // unique: old and new stand in one bundle
  const certificate = issue({
    issuer: name, subject: name, publicKey, signer: key, now, lifetimeMs: CA_LIFETIME_MS,
    extensions: [
      extension('2.5.29.19', der.sequence(der.yes(), der.integer(Buffer.from([0]))), 'critical'), // basicConstraints: CA, pathLen 0
      extension('2.5.29.15', der.namedBits([KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign]), 'critical'),
      extension('2.5.29.14', der.octets(keyIdentifier(publicKey))),
      extension('2.5.29.35', der.sequence(der.implicit(0, keyIdentifier(publicKey)))),
    ],
  })
  return { certificate, key: pem(key) }
}

/** A server certificate for these DNS names, signed by `authority`. */
export function issueLeaf(authority: KeyPair, names: readonly string[], now: Date): KeyPair {
  const { key, publicKey } = newKey()
  const signer = createPrivateKey(authority.key)
  const certificate = issue({
    issuer: commonName(new X509Certificate(authority.certificate)), subject: 'swe-operator', publicKey, signer, now, lifetimeMs: LEAF_LIFETIME_MS,
    extensions: [
      extension('2.5.29.19', der.sequence(), 'critical'), // basicConstraints: not a CA
      extension('2.5.29.15', der.namedBits([KEY_USAGE.digitalSignature]), 'critical'),
      extension('2.5.29.37', der.sequence(der.oid(SERVER_AUTH))),
      extension('2.5.29.17', der.sequence(...names.map((name) => der.implicit(2, Buffer.from(name, 'ascii'))))),
      extension('2.5.29.14', der.octets(keyIdentifier(publicKey))),
      extension('2.5.29.35', der.sequence(der.implicit(0, keyIdentifier(createPublicKey(signer))))),
    ],
  })
  return { certificate, key: pem(key) }
}

/** The common name of a certificate's subject; ours always have one. */
export function commonName(certificate: X509Certificate): string {
  return /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? ''
}

type Issue = Readonly<{
  issuer: string
  subject: string
  publicKey: KeyObject
  signer: KeyObject
  now: Date
  lifetimeMs: number
  extensions: readonly Buffer[]
}>

function issue({ issuer, subject, publicKey, signer, now, lifetimeMs, extensions }: Issue): string {
  const algorithm = der.sequence(der.oid(ECDSA_WITH_SHA256))
  const body = der.sequence(
    der.explicit(0, der.integer(Buffer.from([2]))), // version 3
    der.integer(randomBytes(16)),
    algorithm,
    distinguishedName(issuer),
    der.sequence(der.time(new Date(now.getTime() - CLOCK_SKEW_MS)), der.time(new Date(now.getTime() + lifetimeMs))),
    distinguishedName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der.explicit(3, der.sequence(...extensions)),
  )
  const certificate = der.sequence(body, algorithm, der.bits(sign('sha256', body, signer)))
  return new X509Certificate(certificate).toString()
}

function newKey(): { key: KeyObject; publicKey: KeyObject } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { key: privateKey, publicKey }
}

/** RFC 7093 method 1: the first 160 bits of the SHA-256 of the public point. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  const POINT_BYTES = 65 // an uncompressed P-256 point, the tail of its SPKI
  const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-POINT_BYTES)
  return createHash('sha256').update(point).digest().subarray(0, 20)
}

function distinguishedName(name: string): Buffer {
  return der.sequence(der.set(der.sequence(der.oid(COMMON_NAME), der.text(name))))
}

function extension(id: string, value: Buffer, critical?: 'critical'): Buffer {
  return der.sequence(der.oid(id), ...(critical ? [der.yes()] : []), der.octets(value))
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}
