import { groupOf, type ObjectKey, type ResourceType } from './object.ts'
import type { Call } from './transport.ts'

/** Where a call on a kind goes, as the URL and as RBAC see it. Without a name it is the collection; without a namespace, all. */
export function target(verb: Call['verb'], type: ResourceType, key: Partial<Target>, subresource?: string): Readonly<{ path: string; call: Call }> {
  const { namespace, name } = key
  const root = type.apiVersion.includes('/') ? '/apis' : '/api'
  const isNamespaced = type.scope === 'Namespaced' && namespace !== undefined
  const parts = [...(isNamespaced ? ['namespaces', namespace] : []), type.plural, ...(name === undefined ? [] : [name]), ...(subresource ? [subresource] : [])]
  return {
    path: `${root}/${type.apiVersion}/${parts.map(encodeURIComponent).join('/')}`,
    call: {
      verb,
      group: groupOf(type.apiVersion),
      resource: type.plural,
      ...(subresource ? { subresource } : {}),
      ...(isNamespaced ? { namespace } : {}),
    },
  }
}

type Target = Readonly<{ namespace: string | undefined; name: ObjectKey['name'] }>

/** The call behind the path of a cluster-scoped collection, such as `/apis/authentication.k8s.io/v1/tokenreviews`. */
export function collectionCall(verb: Call['verb'], path: string): Call {
  const parts = path.split('/')
  return { verb, group: parts[1] === 'apis' ? (parts[2] ?? '') : '', resource: parts.at(-1) ?? '' }
}
