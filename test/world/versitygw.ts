import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { ensureBinaries } from '../cluster/binaries.ts'
import { waitUntil } from '../cluster/exec.ts'

export type StoreServer = Readonly<{ endpoint: string; stop(): Promise<void> }>

/** A throw-away versitygw on loopback with an empty folder; it ends with this process at the latest. */
export async function startVersitygw(key: Readonly<{ accessKeyId: string; secretAccessKey: string }>): Promise<StoreServer> {
  const { versitygw } = await ensureBinaries()
  const folder = await mkdtemp(join(tmpdir(), 'swe-operator-store-'))
  const port = await freePort()
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

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port on loopback')
  return address.port
}
