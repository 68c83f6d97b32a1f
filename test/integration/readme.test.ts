// What README.md shows, held against the real API server and the files it points at.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts'
import { run, succeeds, waitUntil } from '../cluster/exec.ts'

const root = join(import.meta.dirname, '../..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')

let cluster: ControlPlane

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'readme' })
  await kubectl(['apply', '--server-side', '-k', join(root, 'crds')])
  await waitUntil('trainingruns are served', 60_000, () => succeeds(cluster.binaries.kubectl, ['--kubeconfig', cluster.kubeconfigPath, 'get', 'trainingruns']))
})

afterAll(() => cluster?.stop())

it('shows a TrainingRun that the API server accepts', async () => {
  const [, manifest = ''] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? []
  await kubectl(['create', 'namespace', 'team-a'])
  expect(await kubectl(['apply', '-f', '-'], manifest)).toContain('trainingrun.swe-operator.dev/fix-patches created')
})

it('names only files that exist and commands that package.json has', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
  const paths = [...readme.matchAll(/`((?:test|config|charts|crds|operator|controllers|workloads)\/[\w./-]+)`/g), ...readme.matchAll(/\]\(([\w./-]+)\)/g)].map(([, path = '']) => path)
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
  const commands = [...readme.matchAll(/npm run ([\w:-]+)/g)].map(([, command = '']) => command)
  expect(commands.filter((command) => !(command in scripts))).toEqual([])
})

function kubectl(args: readonly string[], input?: string): Promise<string> {
  return run(cluster.binaries.kubectl, ['--kubeconfig', cluster.kubeconfigPath, ...args], input === undefined ? {} : { input })
}
