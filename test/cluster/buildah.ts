import { mkdir, mkdtemp, rm } from 'node:fs/promises'
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

/** Hands `use` the image as a file that containerd imports. Not compressed: making it would take longer than reading it. */
export async function withArchive<T>(reference: string, use: (archivePath: string) => Promise<T>): Promise<T> {
  const path = join(imagesDirectory(), 'tmp', `${process.pid}-${reference.replaceAll(/[/:]/g, '_')}.tar`)
  try {
    await buildah(['push', '--quiet', '--disable-compression=true', reference, `oci-archive:${path}:${reference}`])
    return await use(path)
  } finally {
    await rm(path, { force: true })
  }
}

/** The same for several images in one archive, which holds a layer once however many of them have it. */
export async function withSharedArchive<T>(references: readonly string[], use: (archivePath: string) => Promise<T>): Promise<T> {
  const layout = await mkdtemp(join(imagesDirectory(), 'tmp', 'layout-'))
  const path = `${layout}.tar`
  try {
    for (const reference of references) await buildah(['push', '--quiet', '--disable-compression=true', reference, `oci:${layout}:${reference}`])
    await run('tar', ['--create', '--file', path, '--directory', layout, '.'])
    return await use(path)
  } finally {
    await rm(layout, { recursive: true, force: true })
    await rm(path, { force: true })
  }
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
