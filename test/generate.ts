// npm run generate [-- --check]: everything that is derived from the schemas and from what the controllers declare.
import { runSteps, summarise } from './steps.ts'

const flags = process.argv.slice(2)
const results = await runSteps([
  { name: 'crds', command: ['node', 'crds/generate.ts', ...flags] },
  { name: 'chart', command: ['node', 'charts/generate.ts', ...flags] },
])
process.exitCode = summarise('npm run generate', results)
