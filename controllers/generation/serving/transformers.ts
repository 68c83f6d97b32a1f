// transformers serve, on CPUs.
import { threadsFor } from '../../shared/quantity.ts'
import type { Engine } from './engine.ts'

/**
 * One request after the other: it takes a request's seed when the request arrives, and draws when its turn has come, all
 * from one source of random numbers. Answers to several at once would not follow from their seeds.
 */
export const transformers: Engine = {
  runsOn: 'CPU',
  concurrency: 1,
  modelName: ({ folder }) => folder,
  // It listens once the model that it is told of is loaded.
  command: ({ folder, port }) => ['python', '-m', 'transformers.cli.transformers', 'serve', folder, '--host', '0.0.0.0', '--port', String(port), '--device', 'cpu'],
  // Equal threads in every pod, or sums would round differently; and whatever a model's configuration names, nothing is fetched.
  env: ({ cpu }) => [
    { name: 'OMP_NUM_THREADS', value: String(threadsFor(cpu, 1)) },
    { name: 'HF_HUB_OFFLINE', value: '1' },
  ],
  healthPath: '/health',
}
