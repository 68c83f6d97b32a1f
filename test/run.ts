// npm test: everything, from pure functions to real pods on a real cluster. The first run builds the cluster's binaries.
import { runBeside, runSteps, summarise } from './steps.ts'

const KEEP = 'SWE_OPERATOR_KEEP_CLUSTER'
const mayEnd = process.env[KEEP] !== '1'
process.env[KEEP] = '1' // the last step ends it, behind everything that runs on it

const first = await runSteps([
  { name: 'unit', command: ['npx', 'vitest', 'run', '--project', 'unit'] },
  { name: 'cluster', command: ['node', 'test/cluster/cli.ts', 'up', '--name', 'test'] },
])
// These two keep one core busy for minutes while the others mostly wait for pods and servers.
const beside = runBeside([
  { name: 'workloads', command: ['bash', 'workloads/run-tests.sh'] },
  { name: 'engine', command: ['node', 'test/engine.ts'] },
])
const then = await runSteps([
  { name: 'integration', command: ['npx', 'vitest', 'run', '--project', 'integration'] },
  { name: 'e2e', command: ['npx', 'vitest', 'run', '--project', 'e2e'] },
])
const results = [...first, ...then, ...(await beside)]
if (mayEnd) results.push(...(await runSteps([{ name: 'cluster down', command: ['node', 'test/cluster/cli.ts', 'down', '--name', 'test'] }])))
process.exitCode = summarise('npm test', results)
