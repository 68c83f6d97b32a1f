import { run, succeeds, waitUntil } from './exec.ts'
import { containerdSocket } from './node-files.ts'
import type { ClusterPlace } from './state.ts'

const KUBERNETES_NAMESPACE = 'k8s.io' // where the kubelet looks

function ctr(place: ClusterPlace, ...args: string[]): Promise<string> {
  return run('ctr', ['--address', containerdSocket(place), '--namespace', KUBERNETES_NAMESPACE, ...args])
}

export async function containerdReady(place: ClusterPlace): Promise<void> {
  await waitUntil('containerd answers', 90_000, () => succeeds('ctr', ['--address', containerdSocket(place), 'version'], { timeoutMs: 15_000 }), 50)
}

/** Names of the images the node has. */
export async function listImages(place: ClusterPlace): Promise<readonly string[]> {
  return (await ctr(place, 'images', 'list', '--quiet')).split('\n').filter(line => line !== '' && !line.startsWith('sha256:'))
}

/** Gives the node the images of an archive (OCI or Docker format). */
export async function importArchive(place: ClusterPlace, archivePath: string): Promise<void> {
  await ctr(place, 'images', 'import', archivePath)
}

/** Lets the node know an image by its digest too, as if it had been pulled so. Returns that name. */
export async function nameByDigest(place: ClusterPlace, reference: string): Promise<string> {
  const [, line = ''] = (await ctr(place, 'images', 'list', `name==${reference}`)).split('\n')
  const digest = /\bsha256:[0-9a-f]{64}\b/.exec(line)?.[0]
  if (digest === undefined) throw new Error(`the node has no image ${reference}`)
  const pinned = `${reference.replace(/:[^:/]+$/, '')}@${digest}`
  await ctr(place, 'images', 'tag', '--force', reference, pinned)
  return pinned
}
