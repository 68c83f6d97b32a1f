// GPUs that are none: a node advertises them, pods ask for them, and the trainer finds no CUDA and trains on CPUs.
import type { Kube } from './kube.ts'

const RESOURCE = 'simulated-gpu.swe-operator.dev/a100'
const PER_NODE = 2

/** A pool without GPUs that costs 0.001 a second. */
export const PRICED_CPU_POOL = 'cpu'
export const UNPRICED_POOL = 'unpriced'
export const SIMULATED_GPU_POOL = 'simulated-a100'
export const SMALL_SIMULATED_GPU_POOL = 'simulated-small'

/** The chart's value `pools`, for pods of this image. */
export function simulatedPools(image: string): Readonly<Record<string, object>> {
  const gpu = (memoryGi: number): object => ({ resource: RESOURCE, product: 'simulated A100', memoryGi })
  return {
    [PRICED_CPU_POOL]: { pricePerPodHour: '3.6' },
    [UNPRICED_POOL]: {},
    [SIMULATED_GPU_POOL]: { gpu: gpu(40), maxGpusPerNode: PER_NODE, image, pricePerGPUHour: '1.8' },
    [SMALL_SIMULATED_GPU_POOL]: { gpu: gpu(1), maxGpusPerNode: PER_NODE, image, pricePerGPUHour: '0.9' },
  }
}

/** Lets every node advertise them, as a device plugin would; they are forgotten with the node. */
export async function advertiseSimulatedGpus(kube: Kube): Promise<void> {
  const patch = JSON.stringify([{ op: 'add', path: `/status/capacity/${RESOURCE.replace('/', '~1')}`, value: String(PER_NODE) }])
  for (const node of await kube.list('nodes')) await kube.run(['patch', 'node', node.metadata.name, '--subresource=status', '--type=json', '-p', patch])
}
