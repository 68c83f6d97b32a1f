// node config/kustomize/render.ts [--check]: writes the chart with its default values as plain YAML, or says that it is stale.
import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureBinaries } from '../../test/cluster/binaries.ts'
import { run } from '../../test/cluster/exec.ts'
import { lines } from '../../test/cluster/progress.ts'

const root = join(import.meta.dirname, '../..')
const path = join(import.meta.dirname, 'base/install.yaml')
const HEADER = '# The chart with its default values, rendered by `node config/kustomize/render.ts`. Do not edit.\n'

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const { helm } = await ensureBinaries(lines((line) => process.stderr.write(`${line}\n`)))
const rendered = await run(helm, ['template', 'swe-operator', join(root, 'charts/swe-operator'), '--namespace', 'swe-operator-system', '--set', 'crds.enabled=false', '--no-hooks'])
const shown = relative(root, path)

if (!values.check) {
  writeFileSync(path, HEADER + rendered)
  console.log(`wrote ${shown}`)
} else if (readFileSync(path, 'utf8') === HEADER + rendered) {
  console.log(`${shown} is up to date`)
} else {
  console.error(`${shown} is stale\nRun \`node config/kustomize/render.ts\` and commit the result.`)
  process.exitCode = 1
}
