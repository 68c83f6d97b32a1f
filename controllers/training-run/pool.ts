import type { TrainingRun } from '../../crds/training-run.ts'
import { poolNamed, type Pool } from '../pools/pool.ts'

/** Serves the runs that name no pool, where the installation has one of this name. */
const DEFAULT_POOL = 'default'

/** The pool of a run. What the status shows stays: a pool that is called `default` later is for later runs. */
export function poolOf({ spec, status }: Pick<TrainingRun, 'spec' | 'status'>, pools: readonly Pool[]): Pool | undefined {
  const wanted = status?.resolved === undefined ? (spec.compute?.pool ?? DEFAULT_POOL) : (spec.compute?.pool ?? status.resolved.pool)
  return poolNamed(wanted, pools)
}
