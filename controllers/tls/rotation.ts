import { createPrivateKey, X509Certificate } from 'node:crypto'

import { issueAuthority, issueLeaf } from './certificate.ts'

/** What the TLS Secret holds, PEM. `bundle` lists the current authority first, then those that still count. */
export type TlsMaterial = Readonly<{ bundle: string; authorityKey: string; certificate: string; key: string }>

/** What has to be done to the material, and why; undefined when it is good as it is. */
export type Rotation = Readonly<{ reason: 'Unreadable' | 'AuthorityAging' | 'LeafAging' | 'NamesChanged'; material: TlsMaterial }>

const RENEW_AFTER_SHARE = 2 / 3 // leaves a third of the lifetime for an operator that is down

/**
 * Decides what the material must become. A new authority is published beside the old one and the leaf is
 * renewed once more by the old: until that leaf ages, every client has had weeks to read the new bundle.
 */
export function rotate(current: TlsMaterial, names: readonly string[], now: Date): Rotation | undefined {
  const parsed = parse(current)
  if (parsed === undefined) return { reason: 'Unreadable', material: issueMaterial(names, now) }
  const { authority, leaf, bundle } = parsed
  if (expired(authority, now)) return { reason: 'AuthorityAging', material: issueMaterial(names, now) }

  const signer = { certificate: authority.toString(), key: current.authorityKey }
  if (aging(authority, now)) {
    const next = issueAuthority(now)
    const valid = bundle.filter((certificate) => !expired(certificate, now)).map(String)
    const renewed = issueLeaf(signer, names, now)
    return { reason: 'AuthorityAging', material: material([next.certificate, ...valid], next.key, renewed) }
  }
  const sameNames = leaf.subjectAltName === names.map((name) => `DNS:${name}`).join(', ')
  if (sameNames && !aging(leaf, now)) return undefined
  const renewed = issueLeaf(signer, names, now)
  return { reason: sameNames ? 'LeafAging' : 'NamesChanged', material: material(bundle.map(String), current.authorityKey, renewed) }
}

/** A first authority and a leaf for these DNS names. */
export function issueMaterial(names: readonly string[], now: Date): TlsMaterial {
  const authority = issueAuthority(now)
  return material([authority.certificate], authority.key, issueLeaf(authority, names, now))
}

function material(bundle: readonly string[], authorityKey: string, leaf: Readonly<{ certificate: string; key: string }>): TlsMaterial {
  return { bundle: bundle.join(''), authorityKey, certificate: leaf.certificate, key: leaf.key }
}

type Parsed = Readonly<{ authority: X509Certificate; bundle: readonly X509Certificate[]; leaf: X509Certificate }>

function parse(current: TlsMaterial): Parsed | undefined {
  try {
    const bundle = certificatesOf(current.bundle)
    const [authority] = bundle
    const leaf = new X509Certificate(current.certificate)
    const whole = authority?.checkPrivateKey(createPrivateKey(current.authorityKey))
      && leaf.checkPrivateKey(createPrivateKey(current.key))
      && bundle.some((certificate) => leaf.verify(certificate.publicKey))
    return authority && whole ? { authority, bundle, leaf } : undefined
  } catch {
    return undefined // not PEM, or not a key: the caller starts over and says so
  }
}

/** The certificates of a PEM bundle, in order. */
export function certificatesOf(bundle: string): readonly X509Certificate[] {
  const blocks = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? []
  return blocks.map((block) => new X509Certificate(block))
}

function aging(certificate: X509Certificate, now: Date): boolean {
  const from = certificate.validFromDate.getTime()
  const to = certificate.validToDate.getTime()
  return now.getTime() >= from + (to - from) * RENEW_AFTER_SHARE
}

function expired(certificate: X509Certificate, now: Date): boolean {
  return now >= certificate.validToDate
}
