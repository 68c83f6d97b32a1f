// The nodes that a server runs on, where it takes GPUs.
import { poolNamed, type Pool } from '../../pools/pool.ts'
import type { Asker } from '../asker.ts'
import type { Settings } from '../settings.ts'

type Serving = NonNullable<Asker['spec']['generation']>['serving']

/** Where a person wrote of it, and into an object of which kind. */
export type Written = Readonly<{ field: string; kind: string }>
export type PoolProblem = Readonly<{ state: 'InvalidPool' | 'InvalidConfiguration'; message: string }>

export function poolOf({ spec: { generation } }: Asker, { pools }: Pick<Settings, 'pools'>): Pool | undefined {
  return poolNamed(generation?.serving?.pool, pools)
}

/** Why no server can be had as it is written. A pool may still come; the number of GPUs stays. */
export function invalidPool(serving: Serving, { field, kind }: Written, { pools }: Pick<Settings, 'pools'>): PoolProblem | undefined {
  const { pool: wanted, gpus = 1 } = serving ?? {}
  if (wanted === undefined) return undefined
  const pool = poolNamed(wanted, pools)
  const withGpus = pools.flatMap(({ name, gpu }) => (gpu === undefined ? [] : [name]))
  const there = withGpus.length === 0 ? 'it has none' : `it has ${withGpus.join(', ')}`
  if (pool?.gpu === undefined) return { state: 'InvalidPool', message: `${field}.pool ${wanted} is no pool with GPUs of this operator; ${there}. Add it to the value pools of the operator's chart, and it goes on, or name another in a new ${kind}.` }
  const { perNode } = pool.gpu
  return gpus <= perNode ? undefined : { state: 'InvalidConfiguration', message: `${field}.gpus ${gpus} is more than the ${perNode} GPUs of a node of pool ${wanted}. Ask for ${perNode} at most, or for another pool, in a new ${kind}.` }
}
