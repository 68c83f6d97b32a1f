import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { ensureBinaries } from '../cluster/binaries.ts'
import { waitUntil } from '../cluster/exec.ts'
import { freePort } from './free-port.ts'

export type StoreServer = Readonly<{ endpoint: string; stop(): Promise<void> }>

/** A throw-away versitygw on loopback with an empty folder; it ends with this process at the latest. */
export async function startVersitygw(key: Readonly<{ accessKeyId: string; secretAccessKey: string }>, wantedPort?: number): Promise<StoreServer> {
  const { versitygw } = await ensureBinaries()
  const folder = await mkdtemp(join(tmpdir(), 'swe-operator-store-'))
  const port = wantedPort ?? (await freePort())
  const args = ['--quiet', '--health', '/healthz', '--access', key.accessKeyId, '--secret', key.secretAccessKey, '--port', `127.0.0.1:${port}`, 'posix', folder]
  const server = spawn('setpriv', ['--pdeathsig', 'KILL', '--', versitygw, ...args], { stdio: 'ignore' })
  const endpoint = `http://127.0.0.1:${port}`
  await waitUntil('versitygw answers', 10_000, async () => (await request(`${endpoint}/healthz`).catch(() => undefined))?.statusCode === 200)
  const stop = async (): Promise<void> => {
    const gone = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGKILL')
    await gone
    await rm(folder, { recursive: true })
  }
  return { endpoint, stop }
}
