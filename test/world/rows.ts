import { readFile } from 'node:fs/promises'
import { trainingRun } from './runs.ts'
import type { Place } from './site.ts'

const ROWS_FILE = 'test/fixtures/swe-bench-rows.jsonl'

/** The ten SWE-bench rows of the fixtures as a ConfigMap that runs read. */
export async function shipRows({ site, namespace }: Place): Promise<void> {
  const rows = await readFile(ROWS_FILE, 'utf8')
  await site.kube.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'swe-bench-rows', namespace }, data: { 'rows.jsonl': rows } })
}

/** A run over those rows, small enough for two cores; `more` replaces whole spec fields. */
export function rowsRun(name: string, namespace: string, model: string, more: Readonly<Record<string, unknown>> = {}): object {
  return trainingRun(name, namespace, {
    method: 'SFT',
    engine: 'TRL',
    model: { s3: { uri: model } },
    data: { instances: { configMap: { name: 'swe-bench-rows', key: 'rows.jsonl' }, format: 'SWEBench' } },
    split: { trainPercent: 70, by: 'Instance', seed: 7 },
    lora: { rank: 8, alpha: 16 },
    optimizer: { learningRate: '5e-3', scheduler: 'Constant' },
    batch: { perDevice: 1, gradientAccumulation: 1 },
    duration: { maxSteps: 40 },
    sequence: { maxLength: 2048 },
    evaluation: { everySteps: 20 },
    checkpoint: { everySteps: 5, keep: 2 },
    compute: { cpu: '1', memory: '2Gi' },
    gracePeriodSeconds: 60,
    ...more,
  })
}
