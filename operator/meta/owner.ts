import { groupOf, type KubeObject, type ObjectKey, type OwnerReference, type ResourceType } from '../api/object.ts'

/** The reference that makes `parent` the controller of a child: garbage collection follows it. */
export function ownedBy(parent: KubeObject): OwnerReference {
  const { name, uid } = parent.metadata
  if (uid === undefined) throw new TypeError(`${parent.kind} ${name} has no uid yet, so nothing can be owned by it`)
  return { apiVersion: parent.apiVersion, kind: parent.kind, name, uid, controller: true, blockOwnerDeletion: true }
}

/** The one owner that acts on the object, if it has one. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true)
}

/** The key of the object's controller where that is of the given kind. Owners live in the namespace of their children. */
export function controllerKeyOf(object: KubeObject, type: ResourceType): ObjectKey | undefined {
  const owner = controllerOf(object)
  if (owner?.kind !== type.kind || groupOf(owner.apiVersion) !== groupOf(type.apiVersion)) return undefined
  const { namespace } = object.metadata
  return type.scope === 'Cluster' || namespace === undefined ? { name: owner.name } : { namespace, name: owner.name }
}
