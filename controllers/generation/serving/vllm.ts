// vllm serve, on the GPUs of one node.
import { GPU_ENV, type GpuPlace } from './gpu.ts'
import type { Engine } from './engine.ts'

// It takes no rank between these.
const ADAPTER_RANKS = [8, 16, 32, 64, 128, 256, 320, 512]

/** Each request draws from a source of random numbers of its own, which its seed begins. */
export const vllm: Engine = {
  runsOn: 'GPU',
  concurrency: 32,
  modelName: ({ folder }) => folder,
  // It listens once the model is loaded. Without the adapter the model has another name, so that nobody gets it by mistake.
  command: (place) => [
    'vllm', 'serve', place.folder, '--host', '0.0.0.0', '--port', String(place.port),
    '--served-model-name', place.adapter === undefined ? place.folder : 'without-adapter',
    '--tensor-parallel-size', String(place.gpus),
    ...adapterOf(place),
  ],
  env: () => [...GPU_ENV, { name: 'VLLM_CACHE_ROOT', value: '/work/vllm' }, { name: 'VLLM_NO_USAGE_STATS', value: '1' }],
  healthPath: '/health',
}

function adapterOf({ folder, adapter }: GpuPlace): readonly string[] {
  if (adapter === undefined) return []
  const rank = ADAPTER_RANKS.find((most) => most >= adapter.rank) ?? adapter.rank
  return ['--enable-lora', '--max-loras', '1', '--max-lora-rank', String(rank), '--lora-modules', JSON.stringify({ name: folder, path: adapter.folder })]
}
