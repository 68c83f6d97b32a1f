import { spawn } from 'node:child_process'

/** kubectl against one cluster. A person's own tool, so that tests see what a person sees. */
export type Kube = Readonly<{
  /** stdout of `kubectl <args>`; throws KubectlError with stderr. `input` goes to stdin. */
  run(args: readonly string[], input?: string): Promise<string>
  /** The object, parsed; undefined when the server has none of that name. */
  get<T = KubeJson>(kind: string, name: string, namespace?: string): Promise<T | undefined>
  list<T = KubeJson>(kind: string, options?: Readonly<{ namespace?: string; selector?: string }>): Promise<readonly T[]>
  apply(manifest: object | string, namespace?: string): Promise<void>
  /** kubectl that goes on until stopped, such as port-forward and get -w; `onLine` gets its stdout lines. */
  follow(args: readonly string[], onLine: (line: string) => void): Readonly<{ stop(): Promise<void> }>
}>

export type KubeJson = Readonly<{
  metadata: Readonly<{ name: string; namespace?: string; uid: string; labels?: Record<string, string>; finalizers?: string[]; deletionTimestamp?: string }>
  [field: string]: unknown
}>

export class KubectlError extends Error {
  override readonly name = 'KubectlError'
}

export function kube(kubectl: string, kubeconfig: string): Kube {
  const base = ['--kubeconfig', kubeconfig]
  const run: Kube['run'] = (args, input) => capture(kubectl, [...base, ...args], input)
  return {
    run,
    async get(kind, name, namespace) {
      const out = await run(['get', kind, name, ...inNamespace(namespace), '--ignore-not-found', '-o', 'json'])
      return out.trim() === '' ? undefined : JSON.parse(out)
    },
    async list(kind, options = {}) {
      const where = options.namespace === undefined ? ['-A'] : inNamespace(options.namespace)
      const which = options.selector === undefined ? [] : ['-l', options.selector]
      return JSON.parse(await run(['get', kind, ...where, ...which, '-o', 'json'])).items
    },
    async apply(manifest, namespace) {
      const text = typeof manifest === 'string' ? manifest : JSON.stringify(manifest)
      await run(['apply', '--server-side', '--force-conflicts', ...inNamespace(namespace), '-f', '-'], text)
    },
    follow: (args, onLine) => follow(kubectl, [...base, ...args], onLine),
  }
}

function inNamespace(namespace: string | undefined): readonly string[] {
  return namespace === undefined ? [] : ['-n', namespace]
}

function capture(program: string, args: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) return resolve(Buffer.concat(out).toString())
      const shown = args.slice(2).join(' ')
      reject(new KubectlError(`kubectl ${shown}: ${Buffer.concat(err).toString().trim()}`))
    })
    child.stdin.on('error', () => undefined) // it ended before it had read all of it, and says why by its exit
    child.stdin.end(input ?? '')
  })
}

function follow(program: string, args: readonly string[], onLine: (line: string) => void): Readonly<{ stop(): Promise<void> }> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const gone = new Promise<void>((resolve) => child.on('close', () => resolve()))
  let rest = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
  return {
    async stop() {
      child.kill('SIGTERM')
      await gone
    },
  }
}
