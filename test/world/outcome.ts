import type { TrainingRun } from '../../crds/training-run.ts'
import type { Site } from './site.ts'
import { viewStore } from './store-view.ts'

/** What a run learnt, step by step, without what differs between two honest runs (times, token counters). */
export async function lossHistory(site: Site, run: TrainingRun): Promise<readonly Readonly<Record<string, number>>[]> {
  const artifact = run.status?.artifacts?.find((one) => one.name === 'metrics.jsonl')
  if (!artifact) throw new Error(`${run.metadata.name} has no metrics.jsonl`)
  const store = await viewStore(site)
  try {
    const lines = (await store.read(artifact.uri)).toString().trim().split('\n')
    return lines.map((line) => JSON.parse(line)).map(keepLosses).filter((row) => 'loss' in row || 'eval_loss' in row)
  } finally {
    await store.close()
  }
}

function keepLosses(row: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(row).filter(([name]) => ['step', 'loss', 'eval_loss', 'grad_norm'].includes(name)))
}

export function weightsSha256(run: TrainingRun): string | undefined {
  return run.status?.artifacts?.find((one) => one.name === 'adapter/adapter_model.safetensors')?.sha256
}
