import { spawn } from 'node:child_process'

const SHOWN_CHARACTERS = 4_000 // of what a command said last; the cause is at the end

/** A command ended with another status than 0, was killed, or could not be started. */
export class CommandFailed extends Error {
  readonly exitCode: number | undefined
  readonly stderr: string
  /** The end of what it said, on both streams as they came. */
  readonly output: string

  constructor(command: string, exitCode: number | undefined, { said, stderr }: Readonly<{ said: string; stderr: string }>) {
    super(`${command}: ${exitCode === undefined ? 'was killed or did not start' : `exit status ${exitCode}`}\n${said.slice(-SHOWN_CHARACTERS).trim()}`)
    this.output = said
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

/** Runs a command to its end and returns its standard output. Throws `CommandFailed` with what it said last. */
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
  let said = '' // both streams as they came: some programs explain themselves on the wrong one
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
    said = (said + chunk).slice(-2 * SHOWN_CHARACTERS)
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr = (stderr + chunk).slice(-2 * SHOWN_CHARACTERS)
    said = (said + chunk).slice(-2 * SHOWN_CHARACTERS)
  })
  child.stdin.on('error', () => { /* it ended before it read everything: its exit status tells */ })
  child.stdin.end(options.input ?? '')
  child.on('error', error => reject(new CommandFailed(shown, undefined, { said: error.message, stderr: error.message })))
  child.on('close', code => {
    if (code === 0) resolve(stdout)
    else reject(new CommandFailed(shown, code ?? undefined, { said, stderr }))
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
