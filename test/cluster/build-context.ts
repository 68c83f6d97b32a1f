import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A Dockerfile, the directory it copies from and the values of its arguments. `dockerfile` is relative to `directory`. */
export type BuildContext = Readonly<{ directory: string; dockerfile: string; args: Readonly<Record<string, string>> }>

/** The ignore file that counts for a Dockerfile: its own, else the directory's. */
export function ignoreFile({ directory, dockerfile }: Pick<BuildContext, 'directory' | 'dockerfile'>): string | undefined {
  return [`${dockerfile}.dockerignore`, '.dockerignore'].map(name => join(directory, name)).find(existsSync)
}

/** Names what a build is made from: the files that reach it, its Dockerfile, and its arguments. */
export async function inputHash(context: BuildContext): Promise<string> {
  const ignore = ignoreFile(context)
  const ignored = ignoring(ignore === undefined ? '' : await readFile(ignore, 'utf8'))
  const dockerfile = await readFile(join(context.directory, context.dockerfile), 'utf8')
  const copied = copying(dockerfile, context.args)
  const hash = createHash('sha256').update(JSON.stringify([Object.values(context.args), dockerfile]))
  for (const path of (await filesBelow(context.directory, '')).filter(file => copied(file) && !ignored(file)).sort()) {
    const content = createHash('sha256').update(await readFile(join(context.directory, path))).digest('hex')
    hash.update(`${path}\0${content}\n`)
  }
  return hash.digest('hex').slice(0, 12)
}

/** Whether a path is left out, by the rules of a .dockerignore: the last line that matches decides. */
export function ignoring(dockerignore: string): (path: string) => boolean {
  const rules = dockerignore.split('\n').map(line => line.trim()).filter(line => line !== '' && !line.startsWith('#'))
  const parsed = rules.map(rule => ({ leaveOut: !rule.startsWith('!'), matches: pattern(rule.replace(/^!/, '')) }))
  return path => parsed.findLast(rule => rule.matches.test(path))?.leaveOut ?? false
}

/** Whether a Dockerfile with these arguments copies a path out of its context. */
export function copying(dockerfile: string, args: Readonly<Record<string, string>> = {}): (path: string) => boolean {
  const filled = dockerfile.replaceAll(/\$\{(\w+)\}/g, (reference, argument) => args[argument] ?? reference)
  const instructions = filled.replaceAll(/\\\n/g, ' ').match(/^(COPY|ADD)\s.*$/gm) ?? []
  const sources = instructions.filter(line => !line.includes('--from=')).flatMap(line => {
    const [, ...words] = line.trim().split(/\s+/)
    return words.filter(word => !word.startsWith('--')).slice(0, -1)
  })
  const patterns = sources.map(source => source.replace(/^\.\/(?=.)/, '')).map(source => (source === '.' ? /^/ : pattern(source)))
  return path => patterns.some(source => source.test(path))
}

/** A pattern stands for a file and for everything below a directory of that name. */
function pattern(glob: string): RegExp {
  const source = glob.replace(/^\/|\/$/g, '').replace(/\*\*\/|\*\*|\*|\?|[.+^${}()|[\]\\]/g, part => {
    switch (part) {
      case '**/': return '(?:.*/)?'
      case '**': return '.*'
      case '*': return '[^/]*'
      case '?': return '[^/]'
      default: return `\\${part}`
    }
  })
  return new RegExp(`^${source}(?:/.*)?$`)
}

const neverCopied = new Set(['.git', 'node_modules', '__pycache__', '.pytest_cache', '.ruff_cache', '.mypy_cache'])

async function filesBelow(directory: string, below: string): Promise<string[]> {
  const entries = await readdir(join(directory, below), { withFileTypes: true })
  const found = await Promise.all(entries.filter(entry => !neverCopied.has(entry.name)).map(entry => {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isDirectory()) return filesBelow(directory, path)
    return entry.isFile() ? [path] : []
  }))
  return found.flat()
}
