import type { TrainingRun } from '../../crds/training-run.ts'
import { withoutPrice } from '../shared/budget.ts'
import { bytesOf } from '../shared/quantity.ts'
import { resolve, type Resolved } from './resolve.ts'
import type { Settings } from './settings.ts'
import type { Pool } from '../pools/pool.ts'
import { poolOf } from './pool.ts'

/**
 * Why no training pod can ever be had for a run as it is written. InvalidConfiguration is final, because the field is
 * immutable; the others heal once the installation knows the pool and its price, or spec.budget is changed.
 */
export type ComputeProblem = Readonly<{ state: 'InvalidConfiguration' | 'InvalidPool' | 'InvalidBudget'; message: string }>

type Asked = Readonly<{ run: TrainingRun; pool: Pool | undefined; pools: readonly Pool[]; resolved: Resolved }>

/** The first thing wrong with spec.compute, what needs a GPU, and spec.budget; names field and remedy. */
export function invalidCompute(run: TrainingRun, settings: Pick<Settings, 'pools' | 'currency'>): ComputeProblem | undefined {
  const { pools } = settings
  const asked = { run, pools, pool: poolOf(run, pools), resolved: resolve(run, settings) }
  const poolMessage = unknownPool(asked)
  if (poolMessage !== undefined) return { state: 'InvalidPool', message: poolMessage }
  const specMessage = tooManyGpus(asked) ?? needsGpu(asked) ?? sharedMemoryMisfit(asked) ?? needsQueue(asked)
  if (specMessage !== undefined) return { state: 'InvalidConfiguration', message: `${specMessage} Correct it in a new TrainingRun.` }
  const budgetMessage = immeasurableBudget(asked)
  return budgetMessage === undefined ? undefined : { state: 'InvalidBudget', message: budgetMessage }
}

function unknownPool({ run, pool, pools }: Asked): string | undefined {
  const wanted = run.spec.compute?.pool ?? run.status?.resolved?.pool
  if (wanted === undefined || pool !== undefined) return undefined
  const known = pools.map(({ name }) => name)
  const there = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`
  return `spec.compute.pool ${wanted} is no pool of this operator; ${there}. Add it to the value pools of the operator's chart, and the run goes on, or name another in a new TrainingRun.`
}

function tooManyGpus({ run, pool, pools, resolved: { gpusPerNode } }: Asked): string | undefined {
  if (run.spec.compute?.gpusPerNode === undefined) return undefined
  if (pool?.gpu === undefined) return `spec.compute.gpusPerNode ${gpusPerNode} needs a pool that has GPUs${insteadOf(pool, pools)}.`
  const { perNode } = pool.gpu
  return gpusPerNode > perNode ? `spec.compute.gpusPerNode ${gpusPerNode} is more than the ${perNode} GPUs of a node of pool ${pool.name}; ask for ${perNode} at most, or for another pool.` : undefined
}

function needsGpu({ run: { spec }, pool, pools }: Asked): string | undefined {
  if (pool?.gpu !== undefined) return undefined
  const instead = insteadOf(pool, pools)
  if (spec.lora?.quantization === 'NF4') return `spec.lora.quantization NF4 needs a pool that has GPUs${instead}; without one leave quantization out.`
  if (spec.optimizer?.algorithm === 'PagedAdamW8Bit') return `spec.optimizer.algorithm PagedAdamW8Bit needs a pool that has GPUs${instead}; without one use AdamW.`
  return spec.compute?.sharedMemory === undefined ? undefined : `spec.compute.sharedMemory needs a pool that has GPUs${instead}; without one leave it out.`
}

function insteadOf(pool: Pool | undefined, pools: readonly Pool[]): string {
  const withGpus = pools.flatMap(({ name, gpu }) => (gpu === undefined ? [] : [name]))
  const now = pool === undefined ? ', and spec.compute.pool names none' : `, and ${pool.name} has none`
  return withGpus.length === 0 ? `${now}; this operator has no such pool` : `${now}; there are ${withGpus.join(', ')}`
}

/** /dev/shm is memory of the pod: filling it must not have the trainer killed. */
function sharedMemoryMisfit({ resolved: { sharedMemory, memory } }: Asked): string | undefined {
  if (sharedMemory === undefined || bytesOf(sharedMemory) < bytesOf(memory)) return undefined
  return `spec.compute.sharedMemory ${sharedMemory} counts against spec.compute.memory ${memory} and must be less; raise memory or lower sharedMemory.`
}

function needsQueue({ run: { spec }, resolved: { queueName } }: Asked): string | undefined {
  if (spec.compute?.workloadPriorityClass === undefined || queueName !== undefined) return undefined
  return 'spec.compute.workloadPriorityClass is read by Kueue alone; name a LocalQueue in spec.compute.queueName, or leave it out.'
}

function immeasurableBudget({ run: { spec }, pool, resolved }: Asked): string | undefined {
  const { maxCost, maxGPUHours } = spec.budget ?? {}
  if (maxGPUHours !== undefined && resolved.gpusPerNode === 0) {
    return `spec.budget.maxGPUHours ${maxGPUHours} never ends a run without GPUs. Use spec.budget.maxDuration in its place.`
  }
  if (maxCost === undefined || resolved.pricePerGPUHour !== undefined || resolved.pricePerPodHour !== undefined) return undefined
  const missing = pool === undefined ? 'spec.compute.pool names none' : `pool ${pool.name} has none`
  return withoutPrice(maxCost, missing)
}
