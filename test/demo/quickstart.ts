// One TrainingRun with a pod killed in the middle of it, and predictions graded in sandboxes.
import type { TrainingRun } from '../../crds/training-run.ts'
import { makeTinyModel, openNamespace, type Place, type Site } from '../world/site.ts'
import { readRun, trainingPod, untilState, untilStep } from '../world/runs.ts'
import { viewStore } from '../world/store-view.ts'
import { follow, progressLine, say } from './screen.ts'
import { gradePredictions } from './grading.ts'
import { findings, report, type Finding } from './report.ts'

const NAMESPACE = 'demo'
const RUN = 'quickstart'
const SAMPLE = 'config/samples/training-run'
const KILL_SHARE = 0.4 // late enough that a checkpoint is in the store, early enough that most of the run is still to come
const RUN_LIMIT_SECONDS = 900

/** Prints what held; true if all of it did. */
export async function quickstart(openDemo: () => Promise<Site>): Promise<boolean> {
  say('1/6  a Kubernetes of our own, and the operator from its chart (the first time takes a while)')
  const site = await openDemo()
  const place = { site, namespace: NAMESPACE }
  say('2/6  a tiny random Qwen2, made here, put into the artifact store')
  await openNamespace(place)
  await site.kube.run(['delete', 'trainingrun', RUN, '-n', NAMESPACE, '--ignore-not-found', '--wait'])
  await makeTinyModel(place)
  say(`3/6  kubectl apply -k ${SAMPLE}`)
  await site.kube.run(['apply', '-k', SAMPLE])
  const run = await watchWithKill(place)
  const trained = await check(site, run)
  say('6/6  instances of real packages, their gold patches, and predictions that something is the matter with')
  const all = [...trained, ...(await gradePredictions(site))]
  say(report(run, all, site.cluster))
  return all.every((one) => one.held)
}

async function watchWithKill(place: Place): Promise<TrainingRun> {
  const shown = follow(async () => progressLine(await readRun(place, RUN)))
  try {
    const started = await untilStep(place, RUN, 1, RUN_LIMIT_SECONDS)
    const killAt = Math.ceil((started.status?.progress?.totalSteps ?? 0) * KILL_SHARE)
    await untilStep(place, RUN, killAt, RUN_LIMIT_SECONDS)
    const pod = await trainingPod(place, RUN)
    say(`4/6  kubectl delete pod ${pod.name} --grace-period=0 --force, as a node failure would`)
    await place.site.kube.run(['delete', 'pod', pod.name, '-n', NAMESPACE, '--grace-period=0', '--force'])
    return await untilState(place, RUN, 'Succeeded', RUN_LIMIT_SECONDS)
  } finally {
    await shown.stop()
  }
}

async function check(site: Site, run: TrainingRun): Promise<readonly Finding[]> {
  say('5/6  comparing what the status says with what lies in the store')
  const store = await viewStore(site)
  try {
    return await findings(run, store)
  } finally {
    await store.close()
  }
}
