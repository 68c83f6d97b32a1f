// npm test: everything, from pure functions to real pods on a real cluster. The first run builds the cluster's binaries.
import { runSteps, summarise } from './steps.ts'

const results = await runSteps([
  { name: 'unit', command: ['npx', 'vitest', 'run', '--project', 'unit'] },
  { name: 'workloads', command: ['bash', 'workloads/run-tests.sh'] },
  { name: 'cluster', command: ['node', 'test/cluster/cli.ts', 'up', '--name', 'test'] },
  { name: 'integration', command: ['npx', 'vitest', 'run', '--project', 'integration'] },
  { name: 'e2e', command: ['npx', 'vitest', 'run', '--project', 'e2e'] },
])
process.exitCode = summarise('npm test', results)
