import { spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Runs `work` while holding an exclusive lock on `path`. The kernel lets go when this process dies, however it dies. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true })
  // `cat` lives as long as our end of its pipe; the lock lives as long as `cat`.
  const holder = spawn('flock', ['--exclusive', path, 'sh', '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
  try {
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once('data', () => resolve())
      holder.once('error', reject)
      holder.once('exit', code => reject(new Error(`flock ${path} ended with ${code} before it held the lock`)))
    })
    return await work()
  } finally {
    holder.stdin.end()
  }
}
