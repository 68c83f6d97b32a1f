import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { ensureBinaries } from './binaries.ts'
import { type BuildContext, ignoreFile, inputHash } from './build-context.ts'
import { buildah, dropUnfinishedBuilds, imageExists, imagesDirectory, pruneImages, withArchive } from './buildah.ts'
import type { ClusterHandle } from './cluster.ts'
import { withLock } from './lock.ts'
import { buildFromFiles } from './pause-image.ts'
import { lines, type Progress, silent } from './progress.ts'
import { ensureStandIns } from './stand-ins.ts'
import { VERSITYGW } from './versions.ts'

/** References of the images the chart needs, as the local cluster knows them. */
export type ProjectImages = Readonly<{ operator: string; trainer: string; store: string }>

const root = join(import.meta.dirname, '../..')
const CA_BUNDLE = '/etc/ssl/certs/ca-certificates.crt'

/**
 * Builds the project's images from its Dockerfiles, each only when its inputs changed. The first time takes minutes.
 * `say` gets a line per step.
 */
export async function buildImages(say?: (line: string) => void): Promise<ProjectImages> {
  const progress = say === undefined ? silent : lines(say)
  await mkdir(join(imagesDirectory(), 'tmp'), { recursive: true })
  return withLock(join(imagesDirectory(), 'build.lock'), async () => {
    await dropUnfinishedBuilds()
    const bases = await ensureStandIns(progress)
    const mounts = await buildTimeMounts()
    return {
      operator: await build({ name: 'operator', context: { directory: root, dockerfile: 'Dockerfile' }, base: ['NODE_IMAGE', bases.node], mounts }, progress),
      trainer: await build({ name: 'trainer', context: { directory: join(root, 'workloads'), dockerfile: 'Dockerfile.cpu' }, base: ['BASE_IMAGE', bases.trainer], mounts }, progress),
      store: await buildStore(progress),
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

type Build = Readonly<{
  name: string
  context: BuildContext
  /** The Dockerfile's argument for its base image, and the stand-in it gets here. */
  base: readonly [argument: string, reference: string]
  mounts: readonly string[]
}>

async function build({ name, context, base: [argument, base], mounts }: Build, progress: Progress): Promise<string> {
  const repository = `localhost/swe-operator/${name}`
  const reference = `${repository}:${await inputHash(context, [base])}`
  if (await imageExists(reference)) return reference
  const ignore = ignoreFile(context)
  await progress(`image ${reference}`, async () => {
    await buildah([
      'bud', '--layers', '--pull-never', '--tag', reference, '--build-arg', `${argument}=${base}`,
      ...mounts.map(mount => `--volume=${mount}`),
      ...(ignore === undefined ? [] : ['--ignorefile', ignore]),
      '--file', join(context.directory, context.dockerfile), context.directory,
    ]).finally(dropUnfinishedBuilds)
    await pruneImages(repository)
  })
  return reference
}

async function buildStore(progress: Progress): Promise<string> {
  const reference = `localhost/swe-operator/versitygw:${VERSITYGW}`
  if (await imageExists(reference)) return reference
  const { versitygw } = await ensureBinaries(progress)
  await progress(`image ${reference}`, () => buildFromFiles(reference, 'versitygw.Dockerfile', { versitygw }))
  return reference
}

/** How this machine reaches its registries, seen by the build's commands and not part of the image. */
async function buildTimeMounts(): Promise<readonly string[]> {
  const directory = join(imagesDirectory(), 'registries')
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true })
  const hasBundle = existsSync(CA_BUNDLE)
  const files = {
    npmrc: [await firstThere([join(homedir(), '.npmrc')]), ...(hasBundle ? [`cafile=${CA_BUNDLE}`] : []), ''].join('\n'),
    'pip.conf': await firstThere([join(homedir(), '.config/pip/pip.conf'), join(homedir(), '.pip/pip.conf'), '/etc/pip.conf']) || pipDefaults(hasBundle ? CA_BUNDLE : undefined),
  }
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content)
  return [
    `${join(directory, 'npmrc')}:/root/.npmrc:ro`,
    `${join(directory, 'pip.conf')}:/etc/pip.conf:ro`,
    ...(hasBundle ? [`${CA_BUNDLE}:${CA_BUNDLE}:ro`] : []),
  ]
}

function pipDefaults(caBundle: string | undefined): string {
  const { PIP_INDEX_URL: index } = process.env
  return ['[global]', ...(caBundle === undefined ? [] : [`cert = ${caBundle}`]), ...(index === undefined ? [] : [`index-url = ${index}`]), ''].join('\n')
}

/** The text of the first of these files that exists, or nothing. */
async function firstThere(paths: readonly string[]): Promise<string> {
  const path = paths.find(existsSync)
  return path === undefined ? '' : readFile(path, 'utf8')
}
