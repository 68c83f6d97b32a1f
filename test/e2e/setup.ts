import type { TestProject } from 'vitest/node'
import { downCluster } from '../cluster/cluster.ts'
import type { ProjectImages } from '../cluster/images.ts'
import { makeTinyModel, openNamespace, openSite } from '../world/site.ts'

const CLUSTER = 'test'
const NAMESPACE = 'e2e'

declare module 'vitest' {
  interface ProvidedContext {
    cluster: string
    namespace: string
    model: string
    images: ProjectImages
  }
}

/** One cluster for all e2e files. SWE_OPERATOR_KEEP_CLUSTER=1 leaves it up for a look around. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = performance.now()
  const say = (line: string): void => console.log(`[${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s] ${line}`)
  const site = await openSite(CLUSTER, say)
  say('forgetting what an earlier run of the tests left')
  await site.kube.run(['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait', '--timeout=180s'])
  await openNamespace({ site, namespace: NAMESPACE })
  say('making a tiny model in the cluster')
  const model = await makeTinyModel({ site, namespace: NAMESPACE })
  project.provide('cluster', CLUSTER)
  project.provide('namespace', NAMESPACE)
  project.provide('model', model)
  project.provide('images', site.images)
  return async () => {
    if (process.env['SWE_OPERATOR_KEEP_CLUSTER'] === '1') return
    await downCluster(CLUSTER)
  }
}
