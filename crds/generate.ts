// node crds/generate.ts [--check]: writes crds/generated, or says which file there is stale.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { generatedFiles, staleFiles } from './generated-files.ts'
import { kinds } from './kinds.ts'

const directory = join(import.meta.dirname, 'generated')
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
mkdirSync(directory, { recursive: true })

if (values.check) check()
else write()

function check(): void {
  const stale = staleFiles(directory, generatedFiles(kinds))
  if (stale.length === 0) {
    console.log('crds/generated is up to date')
    return
  }
  console.error(`${stale.join('\n')}\nRun \`npm run generate\` and commit the result.`)
  process.exitCode = 1
}

function write(): void {
  const files = generatedFiles(kinds)
  for (const name of readdirSync(directory)) if (!files.has(name)) rmSync(join(directory, name))
  for (const [name, content] of files) {
    writeFileSync(join(directory, name), content)
    console.log(`wrote crds/generated/${name}`)
  }
}
