import { spawn } from 'node:child_process'

/** A command ended with another status than 0, was killed, or could not be started. */
export class CommandFailed extends Error {
  readonly exitCode: number | undefined
  readonly stderr: string

  constructor(command: string, exitCode: number | undefined, stderr: string) {
    super(`${command}: ${exitCode === undefined ? 'was killed or did not start' : `exit status ${exitCode}`}\n${stderr.slice(-4000).trim()}`)
    this.name = 'CommandFailed'
    this.exitCode = exitCode
    this.stderr = stderr
  }
}

export type RunOptions = Readonly<{
  input?: string
  env?: NodeJS.ProcessEnv
  cwd?: string
  timeoutMs?: number
}>

/** Runs a command to its end and returns its standard output. Throws `CommandFailed` with its standard error. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, killSignal: 'SIGKILL' as const }),
  })
  const shown = [command, ...args].join(' ').slice(0, 300)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { stdout += chunk })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => { stderr += chunk })
  child.stdin.on('error', () => { /* it ended before it read everything: its exit status tells */ })
  child.stdin.end(options.input ?? '')
  child.on('error', error => reject(new CommandFailed(shown, undefined, error.message)))
  child.on('close', code => {
    if (code === 0) resolve(stdout)
    else reject(new CommandFailed(shown, code ?? undefined, stderr || stdout))
  })
  return promise
}

/** Whether the command ends with status 0. */
export async function succeeds(command: string, args: readonly string[], options: RunOptions = {}): Promise<boolean> {
  return run(command, args, options).then(() => true, () => false)
}

/** Asks every `intervalMs` until `ready` says yes. Throws with `what` in its message once `timeoutMs` have passed. */
export async function waitUntil(what: string, timeoutMs: number, ready: () => Promise<boolean> | boolean, intervalMs = 100): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await ready())) {
    if (performance.now() > deadline) throw new Error(`${what}: not so after ${Math.round(timeoutMs / 1000)} s`)
    await new Promise(resolve => setTimeout(resolve, intervalMs))
  }
}
