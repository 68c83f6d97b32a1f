import { join } from 'node:path'
import { ensureBinaries } from './binaries.ts'
import { imageExists, withArchive } from './buildah.ts'
import type { ClusterHandle } from './cluster.ts'
import { ensureBuilt, withBuilds } from './dockerfile-images.ts'
import { buildFromFiles } from './pause-image.ts'
import { lines, type Progress, silent } from './progress.ts'
import { ensureStandIns, ensureTestbedBase } from './stand-ins.ts'
import { VERSITYGW } from './versions.ts'

/** References of the images the chart needs, as the local cluster knows them. */
export type ProjectImages = Readonly<{ operator: string; trainer: string; harness: string; store: string }>

const root = join(import.meta.dirname, '../..')

/**
 * Builds the project's images from its Dockerfiles, each only when its inputs changed. The first time takes minutes.
 * `say` gets a line per step.
 */
export function buildImages(say?: (line: string) => void): Promise<ProjectImages> {
  return withBuilds(say, async builds => {
    const bases = await ensureStandIns(builds.progress)
    return {
      operator: await ensureBuilt({ name: 'operator', context: { directory: root, dockerfile: 'Dockerfile', args: { NODE_IMAGE: bases.node } } }, builds),
      trainer: await ensureBuilt({ name: 'trainer', context: { directory: join(root, 'workloads'), dockerfile: 'Dockerfile.cpu', args: { BASE_IMAGE: bases.trainer } } }, builds),
      harness: await ensureBuilt({ name: 'harness', context: { directory: join(root, 'workloads'), dockerfile: 'Dockerfile.harness', args: { BASE_IMAGE: await ensureTestbedBase(builds.progress) } } }, builds),
      store: await buildStore(builds.progress),
    }
  })
}

/** Gives the cluster's node the images it does not have yet. `say` gets a line per image. */
export async function importImages(handle: ClusterHandle, images: ProjectImages, say?: (line: string) => void): Promise<void> {
  const progress = say === undefined ? silent : lines(say)
  const present = await handle.images.list()
  for (const reference of Object.values(images).filter(image => !present.includes(image))) {
    await progress(`import ${reference}`, () => withArchive(reference, archive => handle.images.import(archive)))
  }
}

async function buildStore(progress: Progress): Promise<string> {
  const reference = `localhost/swe-operator/versitygw:${VERSITYGW}`
  if (await imageExists(reference)) return reference
  const { versitygw } = await ensureBinaries(progress)
  await progress(`image ${reference}`, () => buildFromFiles(reference, 'versitygw.Dockerfile', { versitygw }))
  return reference
}
