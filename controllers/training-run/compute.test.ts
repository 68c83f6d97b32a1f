import { describe, expect, it } from 'vitest'
import type { TrainingRunSpec } from '../../crds/training-run.ts'
import { aTrainingRun } from '../../test/world/training-run.ts'
import { resolve } from './resolve.ts'
import { invalidCompute } from './compute.ts'
import { poolsSchema } from '../pools/pool-config.ts'

const pools = poolsSchema.parse([
  { name: 'a100-40-gke', platform: 'GKE', gpu: 'A100-40', pricePerGPUHour: '2.90' },
  { name: 'a100-80-aks', platform: 'AKS', gpu: 'A100-80', maxGpusPerNode: 4 },
  { name: 'cpu', pricePerPodHour: '0.19' },
])
const settings = { pools, currency: 'USD' }
const problem = (spec: Partial<TrainingRunSpec>, known = settings) => invalidCompute(aTrainingRun(spec), known)

describe('what no pod can ever be had for names field and remedy:', () => {
  it.each<[string, Partial<TrainingRunSpec>, string, string]>([
    ['an unknown pool', { compute: { pool: 'h100' } }, 'InvalidPool', "spec.compute.pool h100 is no pool of this operator; it has a100-40-gke, a100-80-aks, cpu. Add it to the value pools of the operator's chart, and the run goes on, or name another in a new TrainingRun."],
    ['GPUs of a pool without GPUs', { compute: { pool: 'cpu', gpusPerNode: 1 } }, 'InvalidConfiguration', 'spec.compute.gpusPerNode 1 needs a pool that has GPUs, and cpu has none; there are a100-40-gke, a100-80-aks. Correct it in a new TrainingRun.'],
    ['GPUs without a pool', { compute: { gpusPerNode: 2 } }, 'InvalidConfiguration', 'spec.compute.gpusPerNode 2 needs a pool that has GPUs, and spec.compute.pool names none; there are a100-40-gke, a100-80-aks. Correct it in a new TrainingRun.'],
    ['more GPUs than a node has', { compute: { pool: 'a100-80-aks', gpusPerNode: 8 } }, 'InvalidConfiguration', 'spec.compute.gpusPerNode 8 is more than the 4 GPUs of a node of pool a100-80-aks; ask for 4 at most, or for another pool. Correct it in a new TrainingRun.'],
    ['QLoRA without a GPU', { lora: { quantization: 'NF4' } }, 'InvalidConfiguration', 'spec.lora.quantization NF4 needs a pool that has GPUs, and spec.compute.pool names none; there are a100-40-gke, a100-80-aks; without one leave quantization out. Correct it in a new TrainingRun.'],
    ['a paged optimizer without a GPU', { optimizer: { algorithm: 'PagedAdamW8Bit' } }, 'InvalidConfiguration', 'spec.optimizer.algorithm PagedAdamW8Bit needs a pool that has GPUs, and spec.compute.pool names none; there are a100-40-gke, a100-80-aks; without one use AdamW. Correct it in a new TrainingRun.'],
    ['shared memory without a GPU', { compute: { sharedMemory: '1Gi' } }, 'InvalidConfiguration', 'spec.compute.sharedMemory needs a pool that has GPUs, and spec.compute.pool names none; there are a100-40-gke, a100-80-aks; without one leave it out. Correct it in a new TrainingRun.'],
    ['more shared memory than memory', { compute: { pool: 'a100-40-gke', memory: '8Gi' } }, 'InvalidConfiguration', 'spec.compute.sharedMemory 8Gi counts against spec.compute.memory 8Gi and must be less; raise memory or lower sharedMemory. Correct it in a new TrainingRun.'],
    ['a priority of a queue without a queue', { compute: { workloadPriorityClass: 'night' } }, 'InvalidConfiguration', 'spec.compute.workloadPriorityClass is read by Kueue alone; name a LocalQueue in spec.compute.queueName, or leave it out. Correct it in a new TrainingRun.'],
    ['a budget of GPU-hours without a GPU', { budget: { maxGPUHours: '8' } }, 'InvalidBudget', 'spec.budget.maxGPUHours 8 never ends a run without GPUs. Use spec.budget.maxDuration in its place.'],
    ['a budget of money in a pool without a price', { budget: { maxCost: '250' }, compute: { pool: 'a100-80-aks' } }, 'InvalidBudget', "spec.budget.maxCost 250 needs a pool with a price, and pool a100-80-aks has none. Set its pricePerGPUHour or pricePerPodHour in the value pools of the operator's chart, or use spec.budget.maxDuration in place of maxCost."],
    ['a budget of money without a pool', { budget: { maxCost: '250' } }, 'InvalidBudget', "spec.budget.maxCost 250 needs a pool with a price, and spec.compute.pool names none. Set its pricePerGPUHour or pricePerPodHour in the value pools of the operator's chart, or use spec.budget.maxDuration in place of maxCost."],
  ])('%s', (_, spec, state, message) => {
    expect(problem(spec)).toEqual({ state, message })
  })

  it('no pools at all', () => {
    const bare = { ...settings, pools: [] }
    expect(problem({ compute: { pool: 'a100-40-gke' } }, bare)?.message).toContain('is no pool of this operator; it has none.')
    expect(problem({ compute: { gpusPerNode: 1 } }, bare)?.message).toContain('and spec.compute.pool names none; this operator has no such pool.')
  })
})

it.each<[string, Partial<TrainingRunSpec>]>([
  ['nothing at all', {}],
  ['QLoRA on a GPU, within a budget of money and GPU-hours', { lora: { quantization: 'NF4' }, compute: { pool: 'a100-40-gke' }, budget: { maxCost: '250', maxGPUHours: '64' } }],
  ['a pool without GPUs and a budget of money', { compute: { pool: 'cpu' }, budget: { maxCost: '5' } }],
  ['a queue with a priority', { compute: { pool: 'a100-40-gke', queueName: 'team', workloadPriorityClass: 'night' } }],
  ['four GPUs with a little shared memory', { compute: { pool: 'a100-80-aks', gpusPerNode: 4, memory: '2000M', sharedMemory: '1Gi' } }],
])('a run that asks for %s can be served', (_, spec) => {
  expect(problem(spec)).toBeUndefined()
})

describe('the pool of a run', () => {
  const withDefault = { ...settings, pools: [...pools, ...poolsSchema.parse([{ name: 'default', pricePerPodHour: '0.10' }])] }

  it('is the one called default where it names none', () => {
    expect(resolve(aTrainingRun(), withDefault)).toMatchObject({ pool: 'default', pricePerPodHour: '0.10', currency: 'USD' })
    expect(resolve(aTrainingRun(), settings)).not.toHaveProperty('pool')
  })

  it('stays none for a run that began without one', () => {
    const run = aTrainingRun()
    const begun = { ...run, status: { resolved: resolve(run, settings) } }
    expect(resolve(begun, withDefault)).not.toHaveProperty('pool')
  })

  it('that is added to the configuration later lets the run begin with the defaults of that pool', () => {
    const run = aTrainingRun({ compute: { pool: 'a100-40-gke' } })
    const waiting = { ...run, status: { resolved: resolve(run, { ...settings, pools: [] }) } }
    expect(resolve(waiting, settings)).toMatchObject({ pool: 'a100-40-gke', gpusPerNode: 1, memory: '64Gi', gradientCheckpointing: true })
  })

  it('that was removed from the configuration is missed, even by its default name', () => {
    const run = aTrainingRun()
    expect(invalidCompute({ ...run, status: { resolved: resolve(run, withDefault) } }, settings)).toMatchObject({ state: 'InvalidPool', message: expect.stringContaining('spec.compute.pool default is no pool of this operator') })
  })
})
