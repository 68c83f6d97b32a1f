import { rateFor, type Rate } from '../shared/prices.ts'
import type { Observed } from './observed.ts'

/** The prices frozen in the status; where a queue chose another pool, those of that pool. */
export function rateOf({ resolved, settings }: Pick<Observed, 'resolved' | 'settings'>, poolName: string | undefined): Rate {
  const other = poolName === resolved.pool ? undefined : settings.pools.find(({ name }) => name === poolName)
  return rateFor(resolved.gpusPerNode, other ?? resolved)
}
