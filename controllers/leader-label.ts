import { isConflict, isNotFound } from '../operator/api/errors.ts'
import type { Runtime } from '../operator/runtime.ts'
import { PodType } from './shared/kinds.ts'

export const LEADER = 'swe-operator.dev/leader'

type Pod = Readonly<{ name: string; namespace: string; uid: string }>

/** Puts this replica behind the progress Service, or takes it out. Outside a pod there is nothing to label. */
export async function labelOwnPod({ unfenced, log }: Pick<Runtime, 'unfenced' | 'log'>, pod: Pod, role: 'Leader' | 'Standby'): Promise<void> {
  const { name, namespace, uid } = pod
  const labels = { [LEADER]: role === 'Leader' ? 'true' : null }
  try {
    await unfenced.patch(PodType, { namespace, name }, { contentType: 'application/merge-patch+json', body: { metadata: { uid, labels } } })
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error
    log.warn({ pod: `${namespace}/${name}`, role }, 'own pod not found: the progress Service does not lead here')
  }
}
