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

it.each(['training-run', 'swe-bench'])('the rows of %s fit into a ConfigMap', (sample) => {
  expect(readFileSync(join(samples, sample, 'rows.jsonl')).byteLength).toBeLessThan(CONFIG_MAP_LIMIT_BYTES / 2)
})
