// The model of an asker that is served here.
import type { ResolvedGeneration } from '../../../crds/generation-status.ts'
import { childName, type Asker } from '../asker.ts'
import { sourceOf, type ModelSource } from '../../shared/models.ts'
import { SERVER_PORT, type Place } from './engine.ts'
import { engines } from './engines.ts'

/** Whether the model that is asked takes a server of ours. */
export function isServed({ spec: { generation } }: Asker): boolean {
  return generation !== undefined && generation.model.endpoint === undefined
}

/** Where it is read from: at the commit, and with the files, that were read first. Undefined while a run is waited for. */
export function servedModel({ spec: { generation }, status }: Asker): ModelSource | undefined {
  const source = generation && sourceOf(generation.model, status?.fromRun)
  const { revision, sha256 } = status?.serving?.model ?? {}
  if (source === undefined) return undefined
  const hub = source.hub && (revision === undefined ? source.hub : { ...source.hub, revision })
  return { ...source, hub, sha256: source.sha256 ?? sha256 }
}

const MODELS = '/models'

/** Where its server finds it. What servers call a model begins with this path, and samples carry it: so it says which model that is. */
export function folderOf({ spec: { generation } }: Asker): string {
  const { fromRun, hub, s3 } = generation?.model ?? {}
  const name = fromRun?.name ?? hub?.repo ?? s3?.uri.split('/').findLast((segment) => segment !== '') ?? ''
  return `${MODELS}/${name.replaceAll(/[^A-Za-z0-9._-]/g, '-')}`
}

/** What its server is told. Engines on GPUs take an adapter in a folder of its own: of weights they load all that lie beside the model. */
export function placeOf(asker: Asker, { servingEngine, servingCpu: cpu, servingGPUs: gpus }: Pick<ResolvedGeneration, 'servingEngine' | 'servingCpu' | 'servingGPUs'>): Place {
  const [folder, rank] = [folderOf(asker), asker.status?.fromRun?.adapter?.rank]
  const isApart = rank !== undefined && engines[servingEngine].runsOn === 'GPU'
  return { folder, port: SERVER_PORT, cpu, gpus, ...(isApart ? { adapter: { folder: `${folder}-adapter`, rank } } : {}) }
}

/** Where its pods see the volume that keeps models. Weights in the folder are links to there, so it is one place for all. */
export const CACHE = '/model-cache'

/** The claim of that volume; undefined where each pod fetches anew. */
export function cacheClaim({ spec: { generation } }: Asker): string | undefined {
  return generation?.serving?.modelCache?.claimName
}

/** Of Deployment, Service and NetworkPolicy alike. */
export function serverName(asker: Asker): string {
  return childName(asker, 'serve')
}

/** The base of the API that its server offers. */
export function serverUrl(asker: Asker): string {
  return `http://${serverName(asker)}.${asker.metadata.namespace}.svc:${SERVER_PORT}/v1`
}
