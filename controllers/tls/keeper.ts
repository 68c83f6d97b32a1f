import type { World } from '../../operator/world.ts'
import type { OwnSecret, SecretContent } from '../shared/own-secret.ts'
import { issueMaterial, rotate, type Rotation, type TlsMaterial } from './rotation.ts'

export const TLS_SECRET = 'swe-operator-tls'
const LOOK_AGAIN_MS = 60_000 // every replica serves a rotated certificate within a minute

export type TlsKeeperDeps = Readonly<{
  secret: OwnSecret
  /** The DNS names the endpoint is called by. */
  names: readonly string[]
  /** Only the leader rotates; a first creation is safe for anybody, because the second to create reads. */
  isLeader(): boolean
  world: World
  rotated(reason: Rotation['reason']): void
  failed(error: unknown): void
}>

/** Holds the TLS material of this replica and keeps it in step with the Secret. */
export type TlsKeeper = Readonly<{
  /** What to serve now. Before `load` has succeeded there is nothing, and this throws. */
  material(): TlsMaterial
  /** What clients must trust; undefined before `load` has succeeded. */
  bundle(): string | undefined
  /** Reads the Secret, creates it when it is missing, rotates when it is due and we lead. Returns whether the material changed. */
  load(signal?: AbortSignal): Promise<boolean>
  /** Loads once a minute until `signal` is aborted; `changed` is called after each change. Errors are reported, not thrown. */
  watch(changed: (material: TlsMaterial) => void, signal: AbortSignal): Promise<void>
}>

/** The keeper of `swe-operator-tls`. */
export function createTlsKeeper(deps: TlsKeeperDeps): TlsKeeper {
  let held: TlsMaterial | undefined

  function material(): TlsMaterial {
    if (held === undefined) throw new Error(`Secret ${TLS_SECRET} has not been read yet`)
    return held
  }

  async function load(signal?: AbortSignal): Promise<boolean> {
    const next = await upToDate(deps, signal)
    const changed = held?.certificate !== next.certificate || held.bundle !== next.bundle
    held = next
    return changed
  }

  async function watch(changed: (material: TlsMaterial) => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await deps.world.sleep(LOOK_AGAIN_MS, signal).catch(() => undefined)
      if (signal.aborted) return
      try {
        if (await load(signal)) changed(material())
      } catch (error) {
        deps.failed(error)
      }
    }
  }

  return { material, bundle: () => held?.bundle, load, watch }
}

async function upToDate({ secret, names, world, isLeader, rotated }: TlsKeeperDeps, signal?: AbortSignal): Promise<TlsMaterial> {
  const stored = await secret.read(signal)
  if (stored === undefined) {
    return materialOf(await secret.create(dataOf(issueMaterial(names, world.now()))))
  }
  const current = materialOf(stored)
  const rotation = rotate(current, names, world.now())
  if (rotation === undefined) return current
  // What cannot be served is replaced by whoever sees it first, or no replica could start to become the leader.
  if (rotation.reason !== 'Unreadable' && !isLeader()) return current
  const replaced = await secret.replace(stored.version, dataOf(rotation.material))
  rotated(rotation.reason)
  return materialOf(replaced)
}

function materialOf({ data }: SecretContent): TlsMaterial {
  return { bundle: data['ca.crt'] ?? '', authorityKey: data['ca.key'] ?? '', certificate: data['tls.crt'] ?? '', key: data['tls.key'] ?? '' }
}

function dataOf(material: TlsMaterial): Readonly<Record<string, string>> {
  return { 'ca.crt': material.bundle, 'ca.key': material.authorityKey, 'tls.crt': material.certificate, 'tls.key': material.key }
}
