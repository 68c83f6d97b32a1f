/** The parts of Kubernetes objects that every kind shares, as plain JSON (time stamps are RFC 3339 strings). */

export type OwnerReference = Readonly<{
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}>

export type ObjectMeta = Readonly<{
  name: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  labels?: Readonly<Record<string, string>>
  annotations?: Readonly<Record<string, string>>
  ownerReferences?: readonly OwnerReference[]
  finalizers?: readonly string[]
}>

export type KubeObject = Readonly<{ apiVersion: string; kind: string; metadata: ObjectMeta }>

/** Where an object is found inside its kind; `namespace` is absent for cluster-scoped kinds. */
export type ObjectKey = Readonly<{ namespace?: string; name: string }>

/** Names one object of any kind; with `uid`, this very object and no successor of the same name. */
export type ObjectRef = Readonly<{ apiVersion: string; kind: string; namespace?: string; name: string; uid?: string }>

declare const objectType: unique symbol

/** A kind as the API server serves it. `T` is what its objects look like. */
export type ResourceType<T extends KubeObject = KubeObject> = Readonly<{
  /** `v1`, `batch/v1`, `swe-operator.dev/v1alpha1`. */
  apiVersion: string
  kind: string
  /** The lower-case plural in the URL, such as `trainingruns`. */
  plural: string
  scope: 'Namespaced' | 'Cluster'
  [objectType]?: T
}>

/** Declares a kind; two declarations with the same apiVersion and kind mean the same kind. */
export function resourceType<T extends KubeObject>(type: Omit<ResourceType<T>, typeof objectType>): ResourceType<T> {
  return type
}

/** `batch/v1` → `batch`; the core group is the empty string, as in RBAC rules. */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
}

/** A stable identity of a kind for maps and metrics: `Job.v1.batch`, `Pod.v1.`. */
export function kindKey(type: Readonly<{ apiVersion: string; kind: string }>): string {
  const version = type.apiVersion.slice(type.apiVersion.indexOf('/') + 1)
  return `${type.kind}.${version}.${groupOf(type.apiVersion)}`
}

/** `namespace/name`, or `name` for cluster-scoped objects: the key of queues and stores. */
export function keyOf(key: ObjectKey): string {
  return key.namespace === undefined ? key.name : `${key.namespace}/${key.name}`
}

export function refOf(object: KubeObject): ObjectRef {
  const { namespace, name, uid } = object.metadata
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
  }
}
