import { isAlreadyExists } from '../../operator/api/errors.ts'
import { resourceType, type KubeObject, type ObjectKey } from '../../operator/api/object.ts'
import type { Client } from '../../operator/api/resource.ts'

/** One Secret in the operator's own namespace, decoded. The operator makes it once; whoever comes second reads it. */
export type OwnSecret = Readonly<{
  name: string
  read(signal?: AbortSignal): Promise<SecretContent | undefined>
  /** Creates the Secret; when it exists already, what it holds is returned instead and nothing is written. */
  create(data: Readonly<Record<string, string>>): Promise<SecretContent>
  /** Replaces the named keys of exactly this version; rejects with a conflict when somebody was faster. */
  replace(version: string, data: Readonly<Record<string, string>>): Promise<SecretContent>
}>

export type SecretContent = Readonly<{ version: string; data: Readonly<Record<string, string>> }>

type Secret = KubeObject & Readonly<{ data?: Readonly<Record<string, string>> }>
const SecretType = resourceType<Secret>({ apiVersion: 'v1', kind: 'Secret', plural: 'secrets', scope: 'Namespaced' })

/** The Secret of that name; needs `create` on Secrets and `get`, `patch` on this one, in the operator's namespace. */
export function ownSecret(client: () => Client, key: Required<ObjectKey>): OwnSecret {
  const read = async (signal?: AbortSignal): Promise<SecretContent | undefined> => {
    const secret = await client().get(SecretType, key, signal)
    return secret && contentOf(secret)
  }

  const create = async (data: Readonly<Record<string, string>>): Promise<SecretContent> => {
    const metadata = { ...key, labels: { 'app.kubernetes.io/managed-by': 'swe-operator' } }
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data: encoded(data) }
    try {
      return contentOf(await client().create(SecretType, secret))
    } catch (error) {
      const existing = isAlreadyExists(error) ? await read() : undefined
      if (existing) return existing
      throw error
    }
  }

  const replace = async (version: string, data: Readonly<Record<string, string>>): Promise<SecretContent> => {
    const body = { metadata: { resourceVersion: version }, data: encoded(data) }
    return contentOf(await client().patch(SecretType, key, { contentType: 'application/merge-patch+json', body }))
  }

  return { name: key.name, read, create, replace }
}

function contentOf(secret: Secret): SecretContent {
  const entries = Object.entries(secret.data ?? {}).map(([name, value]) => [name, Buffer.from(value, 'base64').toString('utf8')] as const)
  return { version: secret.metadata.resourceVersion ?? '', data: Object.fromEntries(entries) }
}

function encoded(data: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, Buffer.from(value, 'utf8').toString('base64')]))
}
