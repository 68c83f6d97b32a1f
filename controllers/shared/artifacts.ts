// What the programs of an owner made, as its status tells where it lies.
import type { Artifact } from '../../crds/common.ts'
import type { KubeObject } from '../../operator/api/object.ts'
import type { Produced } from '../jobs/verdict.ts'
import { runPrefix, uriOf } from '../store/keys.ts'

type Store = Readonly<{ bucket: string }>

/** Where an object of an owner lies; `key` is relative to the owner's prefix. */
export function ownUri({ metadata: { namespace = '', uid = '' } }: Pick<KubeObject, 'metadata'>, { bucket }: Store, key: string): string {
  return uriOf(bucket, runPrefix({ namespace, uid }) + key)
}

export function artifactOf(owner: Pick<KubeObject, 'metadata'>, store: Store, { name, key, sha256, sizeBytes }: Produced, createdTime: string): Artifact {
  return { name, uri: ownUri(owner, store, key), sha256, sizeBytes, createdTime }
}
