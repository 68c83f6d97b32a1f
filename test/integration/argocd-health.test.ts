// The health check as Argo CD runs it: gopher-lua, a global `obj`, and a table that the script returns.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { states } from '../../controllers/training-run/reasons.ts'
import { parseTrainingRun } from '../../crds/training-run.ts'
import { ensureBinaries } from '../cluster/binaries.ts'
import { run } from '../cluster/exec.ts'

const folder = join(import.meta.dirname, '../../config/argocd/swe-operator.dev/TrainingRun')
const script = readFileSync(join(folder, 'health.lua'), 'utf8')

// The form of Argo CD's own tests, so that script and tests can be given to it as they are.
const testsSchema = z.object({ tests: z.array(z.object({ inputPath: z.string(), healthStatus: z.object({ status: z.enum(['Healthy', 'Progressing', 'Degraded', 'Suspended']), message: z.string() }) })) })
const { tests } = testsSchema.parse(read('health_test.yaml'))

let glua: string
beforeAll(async () => {
  glua = (await ensureBinaries()).glua
})

describe('a TrainingRun in Argo CD', () => {
  it.each(tests.map((test) => [test.inputPath.replace(/^testdata\/|\.yaml$/g, ''), test.healthStatus, test.inputPath] as const))('recorded as %s is %o', async (_name, expected, path) => {
    expect(await healthOf(read(path))).toEqual(expected)
  })

  it('is judged for every recorded object', () => {
    expect(tests.map(({ inputPath }) => inputPath).sort()).toEqual(readdirSync(join(folder, 'testdata')).map((name) => `testdata/${name}`).sort())
  })

  it('with a status but without conditions is progressing', async () => {
    expect(await healthOf({ metadata: { generation: 1 }, status: { observedGeneration: 1 } })).toMatchObject({ status: 'Progressing' })
  })
})

describe('the recorded objects', () => {
  const recorded = tests.map(({ inputPath }) => ({ inputPath, run: parseTrainingRun(z.custom<Parameters<typeof parseTrainingRun>[0]>().parse(read(inputPath))) }))

  it('are in states that the operator knows, one for each of its phases at least', () => {
    const seen = recorded.flatMap(({ run: { status } }) => (status?.state === undefined ? [] : [status.state]))
    expect(seen.filter((state) => !Object.hasOwn(states, state))).toEqual([])
    const phases = new Set(Object.entries(states).filter(([state]) => seen.includes(state)).map(([, { phase }]) => phase))
    expect(phases).toEqual(new Set(Object.values(states).map(({ phase }) => phase)))
  })

  it('carry the reason of Ready as their state', () => {
    const wrong = recorded.filter(({ run: { status } }) => status?.conditions?.find(({ type }) => type === 'Ready')?.reason !== status?.state)
    expect(wrong.map(({ inputPath }) => inputPath)).toEqual([])
  })
})

async function healthOf(object: unknown): Promise<unknown> {
  const program = `obj = ${luaLiteral(object)}\nlocal hs = (function()\n${script}\nend)()\nio.write(hs.status, "\\n", hs.message)`
  const [status, ...message] = (await run(glua, ['-e', program])).split('\n')
  return { status, message: message.join('\n') }
}

function luaLiteral(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(luaLiteral).join(', ')}}`
  if (typeof value === 'object' && value !== null) return `{${Object.entries(value).map(([key, item]) => `[${luaLiteral(key)}] = ${luaLiteral(item)}`).join(', ')}}`
  return value === null ? 'nil' : JSON.stringify(value)
}

function read(path: string): unknown {
  return load(readFileSync(join(folder, path), 'utf8'))
}
