import type { KubeObject, ResourceType } from '../../operator/api/object.ts'
import type { Runtime } from '../../operator/runtime.ts'

type WithStatus = KubeObject & Readonly<{ status?: unknown }>
type StatusOf<T> = T extends { status?: infer Status } ? Status : never

/** Calls with the status before and after each change of an object, while this process leads. */
export function onStatusChange<T extends WithStatus>(type: ResourceType<T>, { cache, isLeading }: Pick<Runtime, 'cache' | 'isLeading'>, changed: (before: StatusOf<T> | undefined, after: StatusOf<T> | undefined) => void): void {
  cache.onChange(type, (before: WithStatus | undefined, after: WithStatus | undefined) => {
    if (before === undefined || after === undefined || before.metadata.uid !== after.metadata.uid || !isLeading()) return
    changed(before.status as StatusOf<T> | undefined, after.status as StatusOf<T> | undefined)
  })
}
