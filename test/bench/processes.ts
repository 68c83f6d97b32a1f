import { fork, type ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { z } from 'zod'
import image from '../../rolldown.config.ts'

/** The program in another Node, which tells and is asked by messages. It inherits nothing but PATH and `env`. */
export function forkNode(program: string, env: NodeJS.ProcessEnv, flags: readonly string[] = []): ChildProcess {
  return fork(program, { env: { PATH: process.env['PATH'], ...env }, execArgv: [...flags], stdio: 'inherit' })
}

/** Where in `directory` the program now is in one file, made as that of the operator's image is. */
export async function bundleOf(program: string, directory: string): Promise<string> {
  const { output, ...input } = image
  const bundle = await rolldown({ ...input, input: program })
  const { output: [{ fileName }] } = await bundle.write({ ...output, dir: directory })
  await bundle.close()
  return join(directory, fileName)
}

/** Another Node that runs the program with what its image tells the operator's Node and allocator. */
export async function forkOperator(program: string, env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const dockerfile = await readFile(join(import.meta.dirname, '../../Dockerfile'), 'utf8')
  const [, entrypoint = '[]'] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile) ?? []
  const flags = z.array(z.string()).parse(JSON.parse(entrypoint)).filter((word) => word.startsWith('--'))
  const [, arenas = ''] = /^ENV MALLOC_ARENA_MAX=(\d+)$/m.exec(dockerfile) ?? []
  return forkNode(program, { MALLOC_ARENA_MAX: arenas, ...env }, flags)
}

/** The next message of a child; rejects if it ends before. */
export function answerOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`process ${child.pid} ended with ${code}`))
    child.once('exit', ended)
    child.once('message', (answer) => {
      child.off('exit', ended)
      resolve(answer as T) // both ends are ours
    })
  })
}

export function ask<T>(child: ChildProcess, question: unknown): Promise<T> {
  const answer = answerOf<T>(child)
  child.send(question as never)
  return answer
}

export async function residentMiB(pid: number): Promise<number> {
  return memoryMiB(pid, 'VmRSS')
}

/** The most that was ever resident. */
export async function peakResidentMiB(pid: number): Promise<number> {
  return memoryMiB(pid, 'VmHWM')
}

async function memoryMiB(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

const TICKS_PER_SECOND = 100 // USER_HZ, which Linux has fixed for all programs

/** CPU time of a process so far, in its own code and in the kernel. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // the name before it may contain anything
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** The same of several, by name. */
export async function cpuSecondsOf(processes: Readonly<Record<string, number>>): Promise<Readonly<Record<string, number>>> {
  return Object.fromEntries(await Promise.all(Object.entries(processes).map(async ([name, pid]) => [name, await cpuSeconds(pid)] as const)))
}
