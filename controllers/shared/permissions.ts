/** One RBAC rule that a part of the operator needs. The chart's roles are generated from these and nothing else. */
export type RbacRule = Readonly<{
  apiGroups: readonly string[]
  resources: readonly string[]
  verbs: readonly string[]
  /** Only these objects; `create` and `list` cannot be limited this way. */
  resourceNames?: readonly string[]
  /** `Cluster`: in every watched namespace. `OwnNamespace`: only where the operator itself runs. */
  scope: 'Cluster' | 'OwnNamespace'
}>
