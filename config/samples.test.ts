import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { trainingRunSpecSchema } from '../crds/training-run-spec.ts'

const samples = join(import.meta.dirname, 'samples')
const CONFIG_MAP_LIMIT_BYTES = 1_048_576

function rowsOf(path: string): readonly Record<string, string>[] {
  return readFileSync(path, 'utf8').trimEnd().split('\n').map((line) => z.record(z.string(), z.string()).parse(JSON.parse(line)))
}

function specOf(sample: string) {
  const run: unknown = load(readFileSync(join(samples, sample, 'training-run.yaml'), 'utf8'))
  return z.object({ spec: trainingRunSpecSchema }).parse(run).spec
}

describe('the quickstart sample', () => {
  const rows = rowsOf(join(samples, 'training-run/rows.jsonl'))

  it('brings 40 different prompts, each answered by a patch of the file it shows', () => {
    expect(new Set(rows.map(({ prompt }) => prompt)).size).toBe(40)
    const unfit = rows.filter(({ prompt = '', completion = '' }) => !prompt.includes(`\n${/^--- a\/(\S+)\n\+\+\+ b\/\1\n@@/.exec(completion)?.[1]}:\n`))
    expect(unfit).toEqual([])
  })

  it('removes only lines that its prompt shows', () => {
    const removed = rows.flatMap(({ prompt = '', completion = '' }) => completion.split('\n').slice(3).filter((line) => line.startsWith('-')).map((line) => ({ prompt, line: line.slice(1) })))
    expect(removed.filter(({ prompt, line }) => !prompt.includes(`${line}\n`))).toEqual([])
  })

  it('trains long enough for a kill in the middle: several checkpoints and evaluations', () => {
    const { duration, checkpoint, evaluation } = specOf('training-run')
    expect((duration.maxSteps ?? 0) / (checkpoint?.everySteps ?? Infinity)).toBeGreaterThanOrEqual(10)
    expect((duration.maxSteps ?? 0) / (evaluation?.everySteps ?? Infinity)).toBeGreaterThanOrEqual(5)
  })
})

describe('the sample of preferences', () => {
  const rows = rowsOf(join(samples, 'dpo-run/rows.jsonl'))
  const fixes = rowsOf(join(samples, 'training-run/rows.jsonl'))

  it('prefers the fixes of the quickstart over patches that only leave a remark', () => {
    expect(rows.map(({ instance_id, prompt, chosen }) => ({ instance_id, prompt, chosen })))
      .toEqual(fixes.map(({ instance_id, prompt, completion }) => ({ instance_id, prompt, chosen: completion })))
    const changes = rows.flatMap(({ rejected = '' }) => rejected.split('\n').slice(3).filter((line) => /^[-+]/.test(line)))
    expect(changes).toHaveLength(rows.length)
    expect(changes.filter((line) => !line.startsWith('+    # FIXME: '))).toEqual([])
  })

  it('compares for long enough that margins show: several checkpoints and evaluations', () => {
    const { method, data, duration, checkpoint, evaluation } = specOf('dpo-run')
    expect({ method, data }).toMatchObject({ method: 'DPO', data: { preferences: { configMap: { name: 'dpo-rows' } } } })
    expect((duration.maxSteps ?? 0) / (checkpoint?.everySteps ?? Infinity)).toBeGreaterThanOrEqual(5)
    expect(checkpoint?.everySteps).toBe(evaluation?.everySteps)
  })
})

describe('the sample of a run that continues another one', () => {
  const patches = z.object({ resources: z.array(z.string()), patches: z.tuple([z.object({ patch: z.string() })]) })
  const { resources, patches: [{ patch }] } = patches.parse(load(readFileSync(join(samples, 'dpo-from-run/kustomization.yaml'), 'utf8')))
  const changes = z.array(z.object({ op: z.literal('replace'), path: z.string(), value: z.unknown() })).parse(load(patch))

  it('links the quickstart and the sample of preferences, whose adapter it takes as it is', () => {
    expect(resources).toEqual(['../training-run', '../dpo-run'])
    expect(changes).toContainEqual({ op: 'replace', path: '/spec/model', value: { fromRun: { name: 'quickstart' } } })
    const changed = Object.fromEntries(changes.filter(({ path }) => path.startsWith('/spec/')).map(({ path, value }) => [path.slice('/spec/'.length), value]))
    expect(trainingRunSpecSchema.parse({ ...specOf('dpo-run'), ...changed }).lora).toEqual({})
    expect(specOf('training-run').lora).toBeDefined()
  })
})

describe('the SWE-bench sample', () => {
  const rows = rowsOf(join(samples, 'swe-bench/rows.jsonl'))
  const originals = new Map(rowsOf(join(import.meta.dirname, '../test/fixtures/swe-bench-rows.jsonl')).map((row) => [row.instance_id, row]))

  it('holds real rows, shortened only where nothing is trained on', () => {
    expect(rows).toHaveLength(3)
    for (const { hints_text: _hints, PASS_TO_PASS: _tests, ...row } of rows) expect(originals.get(row.instance_id)).toMatchObject(row)
  })

  it('is read as instances', () => {
    expect(specOf('swe-bench').data).toMatchObject({ instances: { format: 'SWEBench' } })
  })
})

it.each(['training-run', 'dpo-run', 'swe-bench'])('the rows of %s fit into a ConfigMap', (sample) => {
  expect(readFileSync(join(samples, sample, 'rows.jsonl')).byteLength).toBeLessThan(CONFIG_MAP_LIMIT_BYTES / 2)
})
