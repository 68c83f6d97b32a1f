import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './exec.ts'
import { cacheDirectory } from './paths.ts'

/** Images and archives of ours, apart from the machine's own, so that removing them removes all of it. */
export function imagesDirectory(): string {
  return join(cacheDirectory(), 'images')
}

/** Runs buildah on our own store, without a daemon and without user namespaces. */
export function buildah(args: readonly string[]): Promise<string> {
  const store = join(imagesDirectory(), 'store')
  const environment = { ...process.env, STORAGE_DRIVER: 'overlay', BUILDAH_ISOLATION: 'chroot', TMPDIR: join(imagesDirectory(), 'tmp') }
  return run('buildah', ['--root', store, '--runroot', join(imagesDirectory(), 'run'), ...args], { env: environment })
}

export async function imageExists(reference: string): Promise<boolean> {
  return buildah(['inspect', '--type', 'image', '--format', '{{.FromImageID}}', reference]).then(() => true, () => false)
}

/** The image as a file that containerd imports; written once per reference. */
export async function archiveOf(reference: string): Promise<string> {
  const path = archivePath(reference)
  if (existsSync(path)) return path
  const temporary = join(imagesDirectory(), 'tmp', `${process.pid}.tar`)
  await mkdir(join(imagesDirectory(), 'archives'), { recursive: true })
  await rm(temporary, { force: true })
  await buildah(['push', '--quiet', reference, `oci-archive:${temporary}:${reference}`])
  await rename(temporary, path)
  return path
}

export function archivePath(reference: string): string {
  return join(imagesDirectory(), 'archives', `${reference.replaceAll(/[/:]/g, '_')}.tar`)
}
