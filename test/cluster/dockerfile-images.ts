import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type BuildContext, ignoreFile, inputHash } from './build-context.ts'
import { buildah, buildLock, dropUnfinishedBuilds, imageExists, imagesDirectory, pruneImages } from './buildah.ts'
import { withLock } from './lock.ts'
import { lines, type Progress, silent } from './progress.ts'

const CA_BUNDLE = '/etc/ssl/certs/ca-certificates.crt'

/** What one build after the other is told. */
export type Builds = Readonly<{ progress: Progress; mounts: readonly string[] }>

/** An image that a Dockerfile makes. Its reference is `localhost/swe-operator/<name>:<hash of what goes into it>`. */
export type Build = Readonly<{ name: string; context: BuildContext }>

/** Runs builds while no other process builds in our store. `say` gets a line per step. */
export async function withBuilds<T>(say: ((line: string) => void) | undefined, work: (builds: Builds) => Promise<T>): Promise<T> {
  await mkdir(join(imagesDirectory(), 'tmp'), { recursive: true })
  return withLock(buildLock(), async () => {
    await dropUnfinishedBuilds()
    return work({ progress: say === undefined ? silent : lines(say), mounts: await buildTimeMounts() })
  })
}

/** The reference of an image that has just these inputs, built unless it is there. */
export async function ensureBuilt({ name, context }: Build, { progress, mounts }: Builds): Promise<string> {
  const repository = `localhost/swe-operator/${name}`
  const reference = `${repository}:${await inputHash(context)}`
  if (await imageExists(reference)) return reference
  const ignore = ignoreFile(context)
  await progress(`image ${reference}`, async () => {
    await buildah([
      'bud', '--layers', '--pull-never', '--tag', reference,
      ...Object.entries(context.args).map(([argument, value]) => `--build-arg=${argument}=${value}`),
      ...mounts.map(mount => `--volume=${mount}`),
      ...(ignore === undefined ? [] : ['--ignorefile', ignore]),
      '--file', join(context.directory, context.dockerfile), context.directory,
    ]).finally(dropUnfinishedBuilds)
    await pruneImages(repository)
  })
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
