import { downCluster } from '../cluster/cluster.ts'
import { makeTinyModel, openNamespace, openSite, type Place } from '../world/site.ts'
import type { Bench } from './result.ts'
import { measureOverhead } from './training-overhead.ts'
import { measureLongRun } from './training-run.ts'

const CLUSTER = 'bench'
const NAMESPACE = 'bench'
const TARGETS = {
  overheadWallPercent: 1,
  statusWritesPerMinute: 13, // one in five seconds, and one for the state
}

/** Training on a real cluster: what the wrapper costs beside plain TRL, how soon a killed run goes on, and how often a status is written. */
export const trainingBench: Bench = async (say) => {
  const site = await openSite(CLUSTER, say)
  const place: Place = { site, namespace: NAMESPACE }
  try {
    await openNamespace(place)
    const model = await makeTinyModel(place)
    const overhead = await measureOverhead(place, say)
    const long = await measureLongRun(place, model, say)
    return { metrics: { ...overhead, ...long }, targets: TARGETS }
  } finally {
    await downCluster(CLUSTER)
  }
}
