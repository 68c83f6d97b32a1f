import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { ensureBinaries } from '../cluster/binaries.ts'
import { waitUntil } from '../cluster/exec.ts'
import { freePort } from '../cluster/free-port.ts'

export type StoreServer = Readonly<{ endpoint: string; stop(): Promise<void> }>

const READY_TIMEOUT_MS = 60_000 // 0.1 s are usual

/** A throw-away versitygw on loopback with an empty folder; it ends with this process at the latest. Throws when it ends before it answers. */
export async function startVersitygw(key: Readonly<{ accessKeyId: string; secretAccessKey: string }>, wantedPort?: number): Promise<StoreServer> {
  const { versitygw } = await ensureBinaries()
  const folder = await mkdtemp(join(tmpdir(), 'swe-operator-store-'))
  const port = wantedPort ?? (await freePort())
  const args = ['--quiet', '--health', '/healthz', '--access', key.accessKeyId, '--secret', key.secretAccessKey, '--port', `127.0.0.1:${port}`, 'posix', folder]
  const server = spawn('setpriv', ['--pdeathsig', 'KILL', '--', versitygw, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
  const endpoint = `http://127.0.0.1:${port}`
  await waitUntil('versitygw answers', READY_TIMEOUT_MS, async () => {
    if (server.exitCode !== null) throw new Error(`versitygw ended with status ${server.exitCode}; it has said why on stderr`)
    return (await request(`${endpoint}/healthz`).catch(() => undefined))?.statusCode === 200
  })
  const stop = async (): Promise<void> => {
    const gone = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGKILL')
    await gone
    await rm(folder, { recursive: true })
  }
  return { endpoint, stop }
}
