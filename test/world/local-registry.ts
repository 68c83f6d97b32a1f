// A registry that the node of the local cluster pulls from, and that can ask for patience first.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withArchive } from '../cluster/buildah.ts'
import { run, succeeds, waitUntil } from '../cluster/exec.ts'
import { freePort } from '../cluster/free-port.ts'
import { inside } from '../cluster/network.ts'
import { placeOf } from '../cluster/state.ts'
import type { Site } from './site.ts'

const READY_TIMEOUT_MS = 60_000

/** `host` is what names of images begin with. */
export type LocalRegistry = Readonly<{ host: string; close(): Promise<void> }>

/** Serves an image of the build store under every name and tag. The first `refusals` requests for a manifest are answered 429. */
export async function openRegistry({ cluster }: Site, { image, refusals }: Readonly<{ image: string; refusals: number }>): Promise<LocalRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'swe-operator-registry-'))
  await withArchive(image, (archive) => run('tar', ['--extract', '--file', archive, '--directory', folder]))
  const host = `127.0.0.1:${await freePort()}`
  const [program, ...args] = inside(placeOf(cluster.name))
  const server = spawn(program, [...args, 'setpriv', '--pdeathsig', 'KILL', '--', process.execPath, join(import.meta.dirname, 'registry-server.ts'), folder, host.slice(host.indexOf(':') + 1), String(refusals)], { stdio: ['ignore', 'ignore', 'inherit'] })
  await waitUntil('the registry answers', READY_TIMEOUT_MS, () => succeeds(program, [...args, 'busybox', 'wget', '-q', '-O', '-', `http://${host}/v2/`]))
  const close = async (): Promise<void> => {
    const gone = once(server, 'exit')
    server.kill('SIGKILL')
    await gone
    await rm(folder, { recursive: true })
  }
  return { host, close }
}
