import type { KubeObject } from '../api/object.ts'

/** One operation of a JSON patch (RFC 6902), as far as the runtime uses them. */
export type JsonPatchOperation =
  | Readonly<{ op: 'test'; path: string; value: unknown }>
  | Readonly<{ op: 'remove'; path: string }>

export function hasFinalizer(object: KubeObject, finalizer: string): boolean {
  return object.metadata.finalizers?.includes(finalizer) ?? false
}

/**
 * The JSON patch that takes our finalizer off this very object, and nothing else.
 * It tests uid and position instead of resourceVersion: a kubelet writes the status of a pod all the time.
 */
export function releasePatch(object: KubeObject, finalizer: string): readonly JsonPatchOperation[] {
  const path = `/metadata/finalizers/${object.metadata.finalizers?.indexOf(finalizer) ?? -1}`
  return [
    { op: 'test', path: '/metadata/uid', value: object.metadata.uid },
    { op: 'test', path, value: finalizer },
    { op: 'remove', path },
  ]
}
