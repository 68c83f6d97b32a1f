import { inputsOf } from '../../jobs/inputs.ts'
import type { ConfigMap } from '../../shared/kinds.ts'
import { buildAdapter, buildModel } from '../../shared/models.ts'
import { childName, type Asker } from '../asker.ts'
import type { Resolved } from '../resolve.ts'
import { CACHE, cacheClaim, placeOf, servedModel } from '../serving/model.ts'

export function servingInputsName(asker: Asker): string {
  return childName(asker, 'model')
}

/** What the program that fetches the model is told, and whom to trust. */
export function buildServingInputs(asker: Asker, resolved: Resolved, caBundle: string): ConfigMap {
  return inputsOf(asker, { name: servingInputsName(asker), file: buildServeFile(asker, resolved), caBundle })
}

function buildServeFile(asker: Asker, resolved: Resolved): Readonly<Record<string, unknown>> {
  const { metadata, status } = asker
  const { folder, adapter } = placeOf(asker, resolved)
  return {
    version: 1,
    owner: { namespace: metadata.namespace, name: metadata.name, uid: metadata.uid },
    model: buildModel(servedModel(asker)),
    adapter: buildAdapter(status?.fromRun),
    folder,
    ...(adapter === undefined ? {} : { adapterFolder: adapter.folder }),
    ...(cacheClaim(asker) === undefined ? {} : { cache: CACHE }),
  }
}
