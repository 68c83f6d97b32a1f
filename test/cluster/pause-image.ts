import { cp, mkdtemp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { buildah, imageExists, imagesDirectory } from './buildah.ts'
import { PAUSE_IMAGE } from './node-files.ts'

/** Builds the pause image unless it is there. */
export async function ensurePauseImage(): Promise<void> {
  if (!(await imageExists(PAUSE_IMAGE))) await buildFromFiles(PAUSE_IMAGE, 'pause.Dockerfile', { busybox: '/bin/busybox' })
}

/** Builds one of our small images from programs of this machine: name in the build context → path. */
export async function buildFromFiles(reference: string, dockerfile: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(imagesDirectory(), 'tmp'), { recursive: true })
  const context = await mkdtemp(join(imagesDirectory(), 'tmp', 'context-'))
  try {
    for (const [name, path] of Object.entries(files)) await cp(path, join(context, name))
    await buildah(['bud', '--quiet', '--tag', reference, '--file', join(import.meta.dirname, 'images', dockerfile), context])
  } finally {
    await rm(context, { recursive: true })
  }
}
