import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

/** What a kubelet sets for the whole machine when it starts. */
const settings = [
  'kernel/keys/root_maxbytes', 'kernel/keys/root_maxkeys', 'kernel/panic', 'kernel/panic_on_oops', 'vm/overcommit_memory', 'vm/panic_on_oom',
] as const

const RUN_DIRECTORY = '/run/swe-operator'
const file = join(RUN_DIRECTORY, 'kernel-settings.json')

/** Remembers the machine's settings before the first kubelet changes them. */
export async function rememberKernelSettings(): Promise<void> {
  if (existsSync(file)) return
  const values = await Promise.all(settings.map(async name => [name, await readFile(`/proc/sys/${name}`, 'utf8').catch(() => undefined)]))
  await mkdir(RUN_DIRECTORY, { recursive: true })
  await writeFile(file, JSON.stringify(Object.fromEntries(values.filter(([, value]) => value !== undefined))))
}

/** Puts the settings back once no cluster is up any more. */
export async function restoreKernelSettings(): Promise<void> {
  const up = (await readdir(RUN_DIRECTORY, { withFileTypes: true }).catch(() => [])).some(entry => entry.isDirectory())
  if (up || !existsSync(file)) return
  const values = z.record(z.string(), z.string()).parse(JSON.parse(await readFile(file, 'utf8')))
  for (const [name, value] of Object.entries(values)) await writeFile(`/proc/sys/${name}`, value)
  await rm(file)
}
