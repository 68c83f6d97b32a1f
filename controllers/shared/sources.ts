// Where rows and predictions come from: as the programs in pods are told, and what their pods mount for it.
import type { HubDataset, HubFolder, HubModel, S3Source } from '../../crds/common.ts'
import { credentialsMount, type Mount } from '../jobs/program-pod.ts'

export const DATA_FOLDER = '/etc/swe-operator-data'
export const PREDICTIONS_FOLDER = '/etc/swe-operator-predictions'

/** Rows or predictions of a specification: one of these is set. */
export type Source = Readonly<{ configMap?: Readonly<{ name: string; key: string }> | undefined; s3?: S3Source | undefined; hub?: HubDataset | undefined }>

/** For the programs; `folder` is where a ConfigMap is mounted. */
export function buildSource({ configMap, s3, hub }: Source, folder: string): Readonly<Record<string, unknown>> | undefined {
  if (configMap) return { configMapFile: `${folder}/${configMap.key}` }
  if (hub) return { hub: { ...buildHub(hub), config: hub.config ?? null, split: hub.split ?? 'train' } }
  return s3 && buildS3(s3)
}

/** Files that are no rows, by the same words. */
export type FolderSource = Omit<Source, 'hub'> & Readonly<{ hub?: HubFolder | undefined }>

export function buildFolderSource({ hub, ...others }: FolderSource, folder: string): Readonly<Record<string, unknown>> | undefined {
  return hub ? { hub: { ...buildHub(hub), folder: hub.folder ?? null } } : buildSource(others, folder)
}

export function buildS3({ uri, secretRef }: S3Source): Readonly<Record<string, unknown>> {
  return { uri, credentials: secretRef === undefined ? 'OwnPrefix' : 'Secret' }
}

export const HUB = 'https://huggingface.co'

export function buildHub({ repo, revision, endpoint, tokenSecretRef }: HubModel): Readonly<Record<string, unknown>> {
  return { repo, revision: revision ?? 'main', endpoint: endpoint ?? HUB, credentials: tokenSecretRef === undefined ? 'None' : 'Secret' }
}

/** What a pod mounts to read the source: a key of a ConfigMap, and the Secret that the source names. */
export function sourceMounts(purpose: string, source: Source | FolderSource | undefined, folder: string): readonly Mount[] {
  const mounts: Mount[] = []
  if (source?.configMap) {
    const { name, key } = source.configMap
    mounts.push({ path: folder, volume: { name: purpose, configMap: { name, items: [{ key, path: key }] } } })
  }
  const secret = source?.s3?.secretRef ?? source?.hub?.tokenSecretRef
  if (secret) mounts.push(credentialsMount(purpose, secret.name))
  return mounts
}

/** The first source that lies in the operator's bucket outside the namespace's own prefix, or in another bucket, without credentials of its own; in words. */
export function foreignSource(sources: readonly (readonly [field: string, source: S3Source | undefined])[], where: Readonly<{ kind: string; namespace: string; bucket: string }>): string | undefined {
  const own = `s3://${where.bucket}/${where.namespace}/`
  const foreign = sources.find(([, source]) => source !== undefined && source.secretRef === undefined && !source.uri.startsWith(own))
  if (!foreign) return undefined
  const [field, source] = foreign
  return `${field}.uri ${source?.uri} lies outside this namespace's own prefix ${own}. Name a Secret with credentials in ${field}.secretRef of a new ${where.kind}, or copy it under the prefix.`
}
