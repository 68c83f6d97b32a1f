import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandFailed, run } from './exec.ts'
import { withLock } from './lock.ts'
import { cacheDirectory } from './paths.ts'

const PACKAGE = 'prometheus' // of which one program is taken; nothing is installed and no service started

/**
 * Path of Prometheus' own promtool: unpacked once from the Debian package into the cache, below the package's version.
 * Throws with what to do where there is neither the cached one nor apt.
 */
export async function ensurePromtool(): Promise<string> {
  const directory = join(cacheDirectory(), 'promtool')
  await mkdir(directory, { recursive: true })
  return withLock(`${directory}.lock`, async () => {
    const [cached] = (await readdir(directory)).map((version) => pathIn(join(directory, version))).filter((path) => existsSync(path))
    return cached ?? unpack(directory)
  })
}

const COMPLAINED = 3 // promtool's exit status when it could read everything and would name some of it differently

/** What promtool finds wrong with the answer of a `/metrics`, one line each; the names that Node's client library gives are not ours. */
export async function complaintsAbout(metrics: string): Promise<readonly string[]> {
  const said = await run(await ensurePromtool(), ['check', 'metrics'], { input: metrics }).catch((error: unknown) => {
    if (error instanceof CommandFailed && error.exitCode === COMPLAINED) return error.stderr
    throw error
  })
  return said.split('\n').filter((line) => line !== '' && !line.startsWith('nodejs_'))
}

function pathIn(directory: string): string {
  return join(directory, 'promtool')
}

async function unpack(directory: string): Promise<string> {
  const temporary = await mkdtemp(join(directory, '.download-'))
  try {
    const archive = await download(temporary)
    const version = (await run('dpkg-deb', ['--field', archive, 'Version'])).trim()
    await run('dpkg-deb', ['--extract', archive, temporary])
    await mkdir(join(directory, version), { recursive: true })
    await rename(join(temporary, 'usr/bin/promtool'), pathIn(join(directory, version)))
    return pathIn(join(directory, version))
  } finally {
    await rm(temporary, { recursive: true })
  }
}

async function download(folder: string): Promise<string> {
  const fetch = () => run('apt-get', ['download', '-q', PACKAGE], { cwd: folder })
  // A fresh machine has no lists of packages yet.
  await fetch().catch(async () => {
    await run('apt-get', ['update', '-q']).catch(() => undefined) // another source's trouble need not be ours
    await fetch()
  }).catch((cause: unknown) => {
    throw new Error(`promtool comes from the Debian package ${PACKAGE}, which apt-get could not fetch; on another system put promtool into ${pathIn(join(cacheDirectory(), 'promtool/any'))}.`, { cause })
  })
  const [archive = ''] = (await readdir(folder)).filter((name) => name.endsWith('.deb'))
  return join(folder, archive)
}
