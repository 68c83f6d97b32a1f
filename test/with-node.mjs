// Runs a TypeScript program with the Node this project pins, installing dependencies first when they are missing or stale.
// Plain JavaScript for whatever older Node the machine has: node test/with-node.mjs <program.ts> [arguments…]
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'

const STAMP = 'node_modules/.installed-lock'
const PINNED_NODE = 'node_modules/.bin/node'

const lock = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex')
const installed = existsSync(STAMP) && existsSync('node_modules') ? readFileSync(STAMP, 'utf8') : ''
if (installed !== lock) {
  process.stderr.write('installing npm dependencies (npm ci)…\n')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) process.exit(status ?? 1)
  writeFileSync(STAMP, lock)
}

const node = existsSync(PINNED_NODE) ? PINNED_NODE : process.execPath
const { status, signal } = spawnSync(node, process.argv.slice(2), {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${process.cwd()}/node_modules/.bin:${process.env.PATH}` },
})
process.exit(signal ? 130 : (status ?? 1))
