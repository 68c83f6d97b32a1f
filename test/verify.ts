// npm run verify: what can be said about the code without a cluster.
import { runSteps, summarise } from './steps.ts'

const results = await runSteps([
  { name: 'generated', command: ['npm', 'run', '--silent', 'generate', '--', '--check'] },
  { name: 'types', command: ['npx', 'tsc', '--noEmit'] },
  { name: 'lint', command: ['npx', 'oxlint', '--deny-warnings'] },
  { name: 'unit', command: ['npx', 'vitest', 'run', '--project', 'unit'] },
])
process.exitCode = summarise('npm run verify', results)
