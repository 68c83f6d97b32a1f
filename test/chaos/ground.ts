import { watchLiveJobs } from '../world/kills.ts'
import { shipRows } from '../world/rows.ts'
import { makeTinyModel, openNamespace, openSite } from '../world/site.ts'

const CLUSTER = 'chaos'

/** Where a night happens: the chaos cluster, a namespace of it with model and rows, and a watch over its training Jobs. */
export async function openGround(namespace: string) {
  const site = await openSite(CLUSTER, console.log)
  const place = { site, namespace }
  await openNamespace(place)
  const model = await makeTinyModel(place)
  await shipRows(place)
  return { site, place, model, jobs: watchLiveJobs(place) }
}
