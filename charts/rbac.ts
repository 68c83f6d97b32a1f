import type { RbacRule } from '../controllers/shared/permissions.ts'

/** A rule as Kubernetes writes it. */
export type PolicyRule = Readonly<{
  apiGroups: readonly string[]
  resources: readonly string[]
  resourceNames?: readonly string[]
  verbs: readonly string[]
}>

/** The operator's rights by where they are granted. */
export type Roles = Readonly<{
  /** On objects that belong to no namespace; always a ClusterRole. */
  clusterScoped: readonly PolicyRule[]
  /** In every watched namespace: part of the ClusterRole, or one Role in each of `watchNamespaces`. */
  watched: readonly PolicyRule[]
  /** Where the operator itself runs. */
  own: readonly PolicyRule[]
}>

const CLUSTER_SCOPED = new Set([
  'tokenreviews', 'subjectaccessreviews', 'selfsubjectaccessreviews', 'namespaces', 'nodes', 'persistentvolumes', 'storageclasses',
  'runtimeclasses', 'priorityclasses', 'customresourcedefinitions', 'validatingadmissionpolicies', 'validatingadmissionpolicybindings',
])

const FORBIDDEN_RESOURCES = new Set(['*', 'pods/exec', 'pods/attach', 'pods/portforward', 'pods/ephemeralcontainers', 'nodes/proxy', 'serviceaccounts/token'])
const FORBIDDEN_VERBS = new Set(['*', 'impersonate', 'escalate', 'bind', 'deletecollection'])

/**
 * Sorts what the code declares into roles: equal declarations give equal bytes, in whatever order they come.
 * Throws when a declaration is broader than the operator may ever be.
 */
export function rolesFrom(declared: readonly RbacRule[]): Roles {
  for (const rule of declared) refuseBroad(rule)
  const isClusterScoped = (rule: RbacRule) => rule.resources.some((resource) => CLUSTER_SCOPED.has(resource))
  const ofScope = (scope: RbacRule['scope']) => declared.filter((rule) => rule.scope === scope)
  return {
    clusterScoped: merged(ofScope('Cluster').filter(isClusterScoped)),
    watched: merged(ofScope('Cluster').filter((rule) => !isClusterScoped(rule))),
    own: merged(ofScope('OwnNamespace')),
  }
}

function refuseBroad({ apiGroups, resources, verbs, resourceNames, scope }: RbacRule): void {
  const broad = [...apiGroups.filter((group) => group === '*'), ...resources.filter((one) => FORBIDDEN_RESOURCES.has(one)), ...verbs.filter((verb) => FORBIDDEN_VERBS.has(verb))]
  if (broad.length > 0) throw new Error(`The operator must never hold ${broad.join(', ')}: ${describe(resources, verbs)}`)
  const mixed = resources.some((one) => CLUSTER_SCOPED.has(one)) && (scope === 'OwnNamespace' || !resources.every((one) => CLUSTER_SCOPED.has(one)))
  if (mixed) throw new Error(`Resources that belong to no namespace need a rule of their own with scope Cluster: ${describe(resources, verbs)}`)
  if (!resources.includes('secrets')) return
  const onlyOwn = scope === 'OwnNamespace' && (resourceNames !== undefined || verbs.every((verb) => verb === 'create'))
  if (!onlyOwn) throw new Error(`Only the operator's own Secrets, by name and in its own namespace: ${describe(resources, verbs)}`)
}

function describe(resources: readonly string[], verbs: readonly string[]): string {
  return `${verbs.join(', ')} on ${resources.join(', ')}`
}

/** One rule for each resource with all its verbs; then resources of a group with the same verbs share a rule. */
function merged(rules: readonly RbacRule[]): readonly PolicyRule[] {
  const single = rules.flatMap(({ apiGroups, resources, resourceNames = [], verbs }) =>
    apiGroups.flatMap((group) => resources.map((resource) => ({ group, resource, names: sorted(resourceNames), verbs }))))
  const perResource = [...Map.groupBy(single, ({ group, names, resource }) => [group, names, resource].join(' '))]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, same]) => same.reduce((all, one) => ({ ...one, verbs: sorted([...all.verbs, ...one.verbs]) })))
    .map((one) => ({ ...one, verbs: sorted(one.verbs) }))
  return [...Map.groupBy(perResource, ({ group, names, verbs }) => [group, names, verbs].join(' ')).values()]
    .map((same) => same.map(({ group, resource, names, verbs }) => rule([group], [resource], names, verbs)))
    .map((same) => same.reduce((all, one) => ({ ...all, resources: [...all.resources, ...one.resources] })))
}

function rule(apiGroups: readonly string[], resources: readonly string[], names: readonly string[], verbs: readonly string[]): PolicyRule {
  return { apiGroups, resources, ...(names.length === 0 ? {} : { resourceNames: names }), verbs }
}

function sorted(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort()
}
