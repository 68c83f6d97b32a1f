// sglang.launch_server, on the GPUs of one node.
import { GPU_ENV, type GpuPlace } from './gpu.ts'
import type { Engine } from './engine.ts'

const ADAPTER = 'adapter'
const AT_ONCE = 2 // the adapter, and the model alone, which the server asks itself for its warm-up

export const sglang: Engine = {
  runsOn: 'GPU',
  concurrency: 32,
  // What follows the colon is the adapter.
  modelName: ({ folder, adapter }) => (adapter === undefined ? folder : `${folder}:${ADAPTER}`),
  command: (place) => [
    'python3', '-m', 'sglang.launch_server', '--model-path', place.folder, '--host', '0.0.0.0', '--port', String(place.port),
    '--served-model-name', place.folder,
    '--tp-size', String(place.gpus),
    ...adapterOf(place),
  ],
  env: () => [...GPU_ENV],
  // 503 until the model is loaded and has answered once.
  healthPath: '/health',
}

function adapterOf({ adapter }: GpuPlace): readonly string[] {
  if (adapter === undefined) return []
  return ['--enable-lora', '--max-loras-per-batch', String(AT_ONCE), '--max-lora-rank', String(adapter.rank), '--lora-paths', `${ADAPTER}=${adapter.folder}`]
}
