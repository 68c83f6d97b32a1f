// node charts/generate.ts [--check]: writes what the chart derives from the code, or says which of it is stale.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { generatedFiles, orphans, staleFiles } from './generated-files.ts'

const directory = join(import.meta.dirname, 'swe-operator')
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
mkdirSync(join(directory, 'files/crds'), { recursive: true })

if (values.check) check()
else write()

function check(): void {
  const stale = staleFiles(generatedFiles())
  if (stale.length === 0) {
    console.log('charts/swe-operator is up to date')
    return
  }
  console.error(`${stale.join('\n')}\nRun \`npm run generate\` and commit the result.`)
  process.exitCode = 1
}

function write(): void {
  const files = generatedFiles()
  for (const path of orphans(files)) rmSync(join(directory, path))
  for (const [path, content] of files) writeFileSync(join(directory, path), content)
  console.log(`wrote ${files.size} files of charts/swe-operator`)
}
