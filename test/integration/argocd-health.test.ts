// The health check as Argo CD runs it: gopher-lua, a global `obj`, and a table that the script returns.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { states as preferenceStates } from '../../controllers/preference-gen/reasons.ts'
import { states as evalStates } from '../../controllers/swebench-eval/reasons.ts'
import { states as trainingStates } from '../../controllers/training-run/reasons.ts'
import { parsePreferenceGen } from '../../crds/preference-gen.ts'
import { parseSWEBenchEval } from '../../crds/swebench-eval.ts'
import { parseTrainingRun } from '../../crds/training-run.ts'
import type { KubeObject } from '../../operator/api/object.ts'
import { ensureBinaries } from '../cluster/binaries.ts'
import { run } from '../cluster/exec.ts'

const folder = join(import.meta.dirname, '../../config/argocd/swe-operator.dev')
const script = readFileSync(join(folder, 'health.lua'), 'utf8')

// The form of Argo CD's own tests, so that script and tests can be given to it as they are.
const testsSchema = z.object({ tests: z.array(z.object({ inputPath: z.string(), healthStatus: z.object({ status: z.enum(['Healthy', 'Progressing', 'Degraded', 'Suspended']), message: z.string() }) })) })
const objectSchema = z.custom<KubeObject>()
const kinds = [
  { kind: 'TrainingRun', parse: parseTrainingRun, states: trainingStates },
  { kind: 'PreferenceGen', parse: parsePreferenceGen, states: preferenceStates },
  { kind: 'SWEBenchEval', parse: parseSWEBenchEval, states: evalStates },
] as const

let glua: string
beforeAll(async () => {
  glua = (await ensureBinaries()).glua
})

describe.each(kinds)('a $kind in Argo CD', ({ kind, parse, states }) => {
  const { tests } = testsSchema.parse(read(`${kind}/health_test.yaml`))
  const recorded = tests.map(({ inputPath }) => ({ inputPath, status: parse(objectSchema.parse(read(`${kind}/${inputPath}`))).status }))

  it.each(tests.map((test) => [test.inputPath.replace(/^testdata\/|\.yaml$/g, ''), test.healthStatus, test.inputPath] as const))('recorded as %s is %o', async (_name, expected, path) => {
    expect(await healthOf(read(`${kind}/${path}`))).toEqual(expected)
  })

  it('is judged for every recorded object', () => {
    expect(tests.map(({ inputPath }) => inputPath).sort()).toEqual(readdirSync(join(folder, kind, 'testdata')).map((name) => `testdata/${name}`).sort())
  })

  it('is recorded in states that the operator knows, one for each of its phases at least', () => {
    const seen = recorded.flatMap(({ status }) => (status?.state === undefined ? [] : [status.state]))
    expect(seen.filter((state) => !Object.hasOwn(states, state))).toEqual([])
    const phases = new Set(Object.entries(states).filter(([state]) => seen.includes(state)).map(([, { phase }]) => phase))
    expect(phases).toEqual(new Set(Object.values(states).map(({ phase }) => phase)))
  })

  it('carries the reason of Ready as its state', () => {
    const wrong = recorded.filter(({ status }) => status?.conditions?.find(({ type }) => type === 'Ready')?.reason !== status?.state)
    expect(wrong.map(({ inputPath }) => inputPath)).toEqual([])
  })
})

describe('the health check', () => {
  it('calls an object with a status but without conditions progressing', async () => {
    expect(await healthOf({ metadata: { generation: 1 }, status: { observedGeneration: 1 } })).toMatchObject({ status: 'Progressing' })
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
