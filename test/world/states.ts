import type { Condition } from '../../crds/common.ts'
import { describe, type Kind } from './describe.ts'
import type { Place } from './site.ts'
import { until } from './until.ts'

type Lived = Readonly<{
  metadata: Readonly<{ generation?: number }>
  status?: Readonly<{ observedGeneration?: number | undefined; state?: string | undefined; conditions?: readonly Condition[] | undefined }> | undefined
}>

/** Waits until a resource says of its present specification that it is in a state, and fails at once when it ends in another final one. */
export async function untilIn<T extends Lived>(place: Place, { kind, name }: Readonly<{ kind: Kind; name: string }>, state: string, seconds: number): Promise<T> {
  const title = `${kind} ${place.namespace}/${name}`
  const reached = await until(`${title} is ${state}`, seconds, async () => {
    const found = await place.site.kube.get<T>(kind, name, place.namespace)
    const done = found?.status?.state === state && found.status.observedGeneration === found.metadata.generation
    return done || isFinal(found) ? found : undefined
  }, () => describe(place, kind, name))
  if (reached.status?.state !== state) throw new Error(`${title} ended ${reached.status?.state}, not ${state}:\n${await describe(place, kind, name)}`)
  return reached
}

export function isFinal(found: Lived | undefined): boolean {
  return found?.status?.conditions?.some(({ type, status }) => (type === 'Complete' || type === 'Stalled') && status === 'True') ?? false
}
