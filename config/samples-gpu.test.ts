import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { poolFormSchema, poolsSchema } from '../controllers/pools/pool-config.ts'
import { resolve } from '../controllers/training-run/resolve.ts'
import { buildInputs } from '../controllers/training-run/resources/config-map.ts'
import { parseTrainingRun } from '../crds/training-run.ts'

const samples = ['qwen2.5-3b-lora', 'codellama-7b-qlora', 'deepseek-coder-6.7b-qlora', 'qwen2.5-coder-7b-qlora', 'qwen2.5-coder-3b-dpo']
const golden = '../workloads/tests/engine/golden'

const valuesSchema = z.looseObject({ pools: z.record(z.string(), poolFormSchema.omit({ name: true })) })

function poolsOfTheChart() {
  const values = valuesSchema.parse(load(readFileSync(join(import.meta.dirname, '../charts/swe-operator/values.yaml'), 'utf8')))
  return poolsSchema.parse(Object.entries(values.pools).map(([name, pool]) => ({ name, ...pool })))
}

// What TRL is told of these files is golden too: workloads/tests/engine/test_render.py.
it.each(samples)('%s gives its programs the run file that their tests render', async (name) => {
  const raw = z.looseObject({ apiVersion: z.string(), kind: z.string(), metadata: z.looseObject({ name: z.string() }) })
    .parse(load(readFileSync(join(import.meta.dirname, 'samples/training-run-gpu', `${name}.yaml`), 'utf8')))
  const run = parseTrainingRun({ ...raw, metadata: { ...raw.metadata, namespace: 'demo', uid: '6f9a2c51-5a77-4b0e-9b0e-3d0d1f4f2c11' } })
  const { data } = buildInputs(run, resolve(run, { pools: poolsOfTheChart(), currency: 'USD' }), '')
  await expect(data?.['run.json']).toMatchFileSnapshot(`${golden}/${name}.run.json`)
})
