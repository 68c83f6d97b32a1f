import { z } from 'zod'
import { evalKeys, runPrefix } from '../../controllers/store/keys.ts'
import { downCluster } from '../cluster/cluster.ts'
import { FIXTURE_INSTANCES, fixtureEval, openEvaluations, readEval, untilEvalIs } from '../world/evaluations.ts'
import { openSite, type Place } from '../world/site.ts'
import { viewStore } from '../world/store-view.ts'
import { chainOf, shipChain } from './init-chain.ts'
import { followPods, type PodLives } from './pod-lives.ts'
import { median, rounded, type Bench } from './result.ts'

const CLUSTER = 'bench'
const NAMESPACE = 'bench-pods'
const INSTANCE = 'andialbrecht__sqlparse-262'
const PAIRS = 7
const PATIENCE_SECONDS = 300
const inputSchema = z.object({ instance: z.object({ image: z.string() }) })
const TARGETS = { secondsSaved: { atLeast: 0.8 } }

/** A sandbox of two containers that start together against a chain of containers that does the same, on real pods. */
export const podBench: Bench = async (say) => {
  const site = await openSite(CLUSTER, say)
  const place: Place = { site, namespace: NAMESPACE }
  try {
    await openEvaluations(place, say)
    return { metrics: await comparePods(place, say), targets: TARGETS }
  } finally {
    await downCluster(CLUSTER)
  }
}

/** Seconds from a pod's creation to its end, as a watch saw them; the tests in both are the same. */
async function comparePods(place: Place, say: (line: string) => void) {
  const lives = followPods(place)
  try {
    await sandbox(place, 'first', lives) // after it the pages of both images are in memory
    const input = await inputOf(place, 'first')
    await shipChain(place, input)
    const image = inputSchema.parse(JSON.parse(input)).instance.image
    const pairs: { sandbox: number; chain: number }[] = []
    while (pairs.length < PAIRS) {
      const number = pairs.length + 1
      const chainFirst = number % 2 === 0 ? await chain(place, { name: `chain-${number}`, image }, lives) : undefined
      const together = await sandbox(place, `sandbox-${number}`, lives)
      pairs.push({ sandbox: together, chain: chainFirst ?? (await chain(place, { name: `chain-${number}`, image }, lives)) })
      say(`  sandbox ${pairs.at(-1)?.sandbox.toFixed(2)} s, chain ${pairs.at(-1)?.chain.toFixed(2)} s`)
    }
    const saved = pairs.map((pair) => pair.chain - pair.sandbox)
    return {
      podPairs: pairs.length,
      sandboxSeconds: rounded(median(pairs.map((pair) => pair.sandbox))), chainSeconds: rounded(median(pairs.map((pair) => pair.chain))),
      secondsSaved: rounded(median(saved)), secondsSavedLeast: rounded(Math.min(...saved)), secondsSavedMost: rounded(Math.max(...saved)),
    }
  } finally {
    await lives.stop()
  }
}

/** One gold prediction, graded by the operator. */
async function sandbox(place: Place, name: string, lives: PodLives): Promise<number> {
  const { kube } = place.site
  await kube.apply(fixtureEval(name, place.namespace, { instances: { ...FIXTURE_INSTANCES, select: { instanceIds: [INSTANCE] } } }))
  const evaluation = await untilEvalIs(place, name, 'Succeeded', PATIENCE_SECONDS)
  if (evaluation.status?.counts?.resolved !== 1) throw new Error(`${name}: ${INSTANCE} was not resolved`)
  return lives.of((pod) => pod.startsWith(`${name}-`))
}

/** What `grade` gets of the only prediction. */
async function inputOf(place: Place, name: string): Promise<string> {
  const evaluation = await readEval(place, name)
  const store = await viewStore(place.site)
  try {
    const key = evalKeys.input(evaluation?.status?.data?.prefix ?? '', 0)
    return (await store.read(`s3://swe-operator/${runPrefix({ namespace: place.namespace, uid: evaluation?.metadata.uid ?? '' })}${key}`)).toString()
  } finally {
    await store.close()
  }
}

async function chain(place: Place, { name, image }: Readonly<{ name: string; image: string }>, lives: PodLives): Promise<number> {
  const { kube } = place.site
  await kube.apply(chainOf(place, { name, image }))
  await kube.run(['wait', `pod/${name}`, '-n', place.namespace, '--for=jsonpath={.status.phase}=Succeeded', `--timeout=${PATIENCE_SECONDS}s`])
  const outcome = await kube.run(['get', 'pod', name, '-n', place.namespace, '-o', 'jsonpath={.status.containerStatuses[0].state.terminated.message}'])
  if (outcome !== 'Resolved') throw new Error(`${name} came to ${JSON.stringify(outcome)}`)
  return lives.of((pod) => pod === name)
}
