import { X509Certificate } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import { CA_LIFETIME_MS, issueAuthority, LEAF_LIFETIME_MS } from './certificate.ts'
import { certificatesOf, issueMaterial, rotate, type Rotation, type TlsMaterial } from './rotation.ts'

const names = ['swe-operator-artifacts.swe-operator-system.svc', 'swe-operator-progress.swe-operator-system.svc']
const start = new Date('2026-11-21T00:00:00Z')
const later = (ms: number): Date => new Date(start.getTime() + ms)

const made = (rotation: Rotation | undefined): TlsMaterial => {
  if (rotation === undefined) throw new Error('nothing was rotated')
  return rotation.material
}
const fresh = (): TlsMaterial => issueMaterial(names, start)
const trusts = (bundle: string, certificate: string): boolean =>
  certificatesOf(bundle).some((authority) => new X509Certificate(certificate).verify(authority.publicKey))

describe('the certificates of the operator', () => {
  it('are made when there are none', () => {
    const { bundle, certificate } = fresh()
    expect(trusts(bundle, certificate)).toBe(true)
  })

  it('are left alone while they are young', () => {
    expect(rotate(fresh(), names, later(LEAF_LIFETIME_MS * 0.6))).toBeUndefined()
  })

  it('get a new leaf after two thirds of its life, from the same authority', () => {
    const before = fresh()
    const rotation = rotate(before, names, later(LEAF_LIFETIME_MS * 0.7))
    expect(rotation?.reason).toBe('LeafAging')
    expect(made(rotation).bundle).toBe(before.bundle)
    expect(made(rotation).certificate).not.toBe(before.certificate)
    expect(trusts(before.bundle, made(rotation).certificate)).toBe(true)
  })

  it('get a new leaf when the services have other names', () => {
    const rotation = rotate(fresh(), ['elsewhere.svc'], later(1000))
    expect(rotation?.reason).toBe('NamesChanged')
    expect(new X509Certificate(made(rotation).certificate).subjectAltName).toBe('DNS:elsewhere.svc')
  })

  it.each([
    ['is not PEM', { certificate: 'nonsense' }],
    ['has a foreign key', { authorityKey: issueAuthority(start).key }],
    ['was signed by nobody we know', { bundle: issueAuthority(start).certificate }],
    ['lost its bundle', { bundle: '' }],
  ])('start over when what is stored %s', (_, damage) => {
    const rotation = rotate({ ...fresh(), ...damage }, names, start)
    expect(rotation?.reason).toBe('Unreadable')
    expect(rotate(made(rotation), names, start)).toBeUndefined()
  })
})

describe('an aging authority', () => {
  const before = fresh()
  const day = CA_LIFETIME_MS * 0.67
  const rotation = rotate(before, names, later(day))

  it('is joined by its successor, and both are published', () => {
    expect(rotation?.reason).toBe('AuthorityAging')
    expect(certificatesOf(made(rotation).bundle)).toHaveLength(2)
    expect(made(rotation).bundle.endsWith(before.bundle)).toBe(true)
  })

  it('signs one last leaf, so that a client with the old bundle alone keeps its connection', () => {
    expect(trusts(before.bundle, made(rotation).certificate)).toBe(true)
    expect(rotate(made(rotation), names, later(day))).toBeUndefined()
  })

  it('is followed by a leaf of the successor once that last leaf ages', () => {
    const next = rotate(made(rotation), names, later(day + LEAF_LIFETIME_MS * 0.7))
    expect(next?.reason).toBe('LeafAging')
    expect(trusts(before.bundle, made(next).certificate)).toBe(false)
    expect(trusts(made(next).bundle, made(next).certificate)).toBe(true)
  })

  it('leaves the bundle at the rotation after its own end', () => {
    const second = rotate(made(rotation), names, later(day + CA_LIFETIME_MS * 0.67))
    expect(certificatesOf(made(second).bundle)).toHaveLength(2)
    expect(made(second).bundle).not.toContain(before.bundle)
  })

  it('is replaced at once when it ran out unattended', () => {
    const late = rotate(before, names, later(CA_LIFETIME_MS + 1000))
    expect(certificatesOf(made(late).bundle)).toHaveLength(1)
    expect(rotate(made(late), names, later(CA_LIFETIME_MS + 1000))).toBeUndefined()
  })
})
