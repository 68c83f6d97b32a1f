import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { run } from './exec.ts'
import { cacheDirectory } from './paths.ts'

const KEPT_VERSIONS = 3 // of each image: enough to go back and forth between two states of the tree

/** Our images, apart from the machine's own, so that removing this directory removes all of them. */
export function imagesDirectory(): string {
  return join(cacheDirectory(), 'images')
}

/** Runs buildah on our own store, without a daemon and without user namespaces. */
export async function buildah(args: readonly string[]): Promise<string> {
  const { command, environment } = buildahCommand()
  await mkdir(environment.TMPDIR, { recursive: true })
  return run(command[0], [...command.slice(1), ...args], { env: { ...process.env, ...environment } })
}

/** What to start for that, and the variables it needs. */
export function buildahCommand(): Readonly<{ command: readonly [string, ...string[]]; environment: Readonly<{ TMPDIR: string } & Record<string, string>> }> {
  const directory = imagesDirectory()
  return {
    command: ['buildah', '--root', join(directory, 'store'), '--runroot', join(directory, 'run')],
    environment: { STORAGE_DRIVER: 'overlay', BUILDAH_ISOLATION: 'chroot', TMPDIR: join(directory, 'tmp') },
  }
}

/** Held by whoever builds, and by whoever uses containers of the store: a build begins by removing all of them. */
export function buildLock(): string {
  return join(imagesDirectory(), 'build.lock')
}

export async function imageExists(reference: string): Promise<boolean> {
  return buildah(['inspect', '--type', 'image', '--format', '{{.FromImageID}}', reference]).then(() => true, () => false)
}

/** Hands `use` the image as a file that containerd imports. */
export async function withArchive<T>(reference: string, use: (archivePath: string) => Promise<T>): Promise<T> {
  const path = join(imagesDirectory(), 'tmp', `${process.pid}-${reference.replaceAll(/[/:]/g, '_')}.tar`)
  try {
    await writeArchive(reference, path)
    return await use(path)
  } finally {
    await rm(path, { force: true })
  }
}

/** The same for several images in one file, which holds a layer once however many of them have it. */
export async function withSharedArchive<T>(references: readonly string[], use: (archivePath: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(imagesDirectory(), 'tmp', 'archive-'))
  const path = `${directory}.tar`
  try {
    const manifest: unknown[] = []
    for (const reference of references) {
      await writeArchive(reference, path)
      manifest.push(...await unpackArchive(path, directory))
    }
    await writeFile(join(directory, 'manifest.json'), JSON.stringify(manifest))
    await run('tar', ['--create', '--file', path, '--directory', directory, '.'])
    return await use(path)
  } finally {
    await rm(directory, { recursive: true, force: true })
    await rm(path, { force: true })
  }
}

/** In Docker's format, because buildah compresses what it writes in OCI's: that takes longer than everything else. */
async function writeArchive(reference: string, path: string): Promise<void> {
  await rm(path, { force: true })
  await buildah(['push', '--quiet', reference, `docker-archive:${path}:${reference}`])
}

/** Adds the files of an archive that are not there yet, layers named by their content, and returns its manifest. */
async function unpackArchive(path: string, directory: string): Promise<readonly unknown[]> {
  const manifest = join(directory, 'manifest.json')
  await rm(manifest, { force: true })
  await run('tar', ['--extract', '--skip-old-files', '--file', path, '--directory', directory])
  return z.array(z.unknown()).parse(JSON.parse(await readFile(manifest, 'utf8')))
}

/** A build that failed or was killed leaves its container and that container's mounts. */
export async function dropUnfinishedBuilds(): Promise<void> {
  if ((await buildah(['containers', '--quiet'])).trim() !== '') await buildah(['rm', '--all'])
}

const imagesSchema = z.array(z.object({ id: z.string(), names: z.array(z.string()).nullish(), createdatraw: z.string() }))

/** Removes all but the newest versions of an image and the layers only they had. */
export async function pruneImages(repository: string): Promise<void> {
  const images = imagesSchema.parse(JSON.parse(await buildah(['images', '--json', '--filter', `reference=${repository}`])))
  const old = images.sort((a, b) => b.createdatraw.localeCompare(a.createdatraw)).slice(KEPT_VERSIONS)
  for (const { id } of old) await buildah(['rmi', '--force', id])
}
