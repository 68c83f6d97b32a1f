// Five linked resources applied at once: imitation, pairs of the patches that came of it, a comparison of these, and both models graded.
import { setTimeout as sleep } from 'node:timers/promises'
import type { PreferenceGen } from '../../crds/preference-gen.ts'
import type { SWEBenchEval } from '../../crds/swebench-eval.ts'
import type { TrainingRun } from '../../crds/training-run.ts'
import { shipInstances } from '../world/evaluations.ts'
import { ensureNamespace, makeTinyModel, openNamespace, type Place, type Site } from '../world/site.ts'
import { isFinal } from '../world/states.ts'
import { compareSides } from './pair-sides.ts'
import { claims, type Finding } from './report.ts'
import { follow, say } from './screen.ts'

const NAMESPACE = 'demo-pipeline'
const SAMPLE = 'config/samples/pipeline'
const LIMIT_SECONDS = 1_500
const STAGES = [['trainingrun', 'sft'], ['preferencegen', 'pairs'], ['trainingrun', 'dpo'], ['swebencheval', 'sft-score'], ['swebencheval', 'dpo-score']] as const

type Stage = TrainingRun | PreferenceGen | SWEBenchEval

/** Prints what held; true if all of it did. */
export async function pipeline(openDemo: () => Promise<Site>): Promise<boolean> {
  say('1/4  a Kubernetes of our own, and the operator from its chart (the first time takes a while)')
  const site = await openDemo()
  const place = { site, namespace: NAMESPACE }
  say('2/4  a tiny random Qwen2, five instances of real packages and their images')
  await site.kube.run(['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait', '--timeout=180s'])
  await openNamespace(place)
  await ensureNamespace(site.kube, NAMESPACE, 'baseline')
  await shipInstances(place, say)
  await makeTinyModel(place)
  say(`3/4  kubectl apply -k ${SAMPLE}`)
  await site.kube.run(['apply', '-k', SAMPLE])
  const started = performance.now()
  await untilAllEnded(place)
  const seconds = Math.round((performance.now() - started) / 1000)
  say('4/4  comparing what they say with what lies in the store')
  const all = await findings(place)
  say(['', `What held, ${seconds} s after the apply`, ...claims(all), '', 'Look around', `  export KUBECONFIG=${site.cluster.kubeconfigPath}`, `  kubectl get trainingruns,preferencegens,swebenchevals -n ${NAMESPACE}`, ''].join('\n'))
  return all.every((one) => one.held)
}

async function untilAllEnded(place: Place): Promise<void> {
  const shown = follow(async () => (await stages(place)).map((stage, index) => `${STAGES[index]?.[1]} ${stage?.status?.state ?? 'Pending'}`).join('   '))
  const deadline = performance.now() + LIMIT_SECONDS * 1_000
  try {
    while (!(await stages(place)).every((stage) => isFinal(stage))) {
      if (performance.now() > deadline) throw new Error(`not all of ${NAMESPACE} had ended after ${LIMIT_SECONDS} s. kubectl get trainingruns,preferencegens,swebenchevals -n ${NAMESPACE} shows which.`)
      await sleep(2_000)
    }
  } finally {
    await shown.stop()
  }
}

function stages({ site, namespace }: Place): Promise<readonly (Stage | undefined)[]> {
  return Promise.all(STAGES.map(([kind, name]) => site.kube.get<Stage>(kind, name, namespace)))
}

async function findings({ site, namespace }: Place): Promise<readonly Finding[]> {
  const all = await stages({ site, namespace })
  const dpo = await site.kube.get<TrainingRun>('trainingrun', 'dpo', namespace)
  const pairs = await site.kube.get<PreferenceGen>('preferencegen', 'pairs', namespace)
  const [before, after] = await Promise.all(['sft-score', 'dpo-score'].map((name) => site.kube.get<SWEBenchEval>('swebencheval', name, namespace)))
  return [
    ...all.map((stage, index) => ({ claim: `${STAGES[index]?.[1]} is Complete`, held: stage?.status?.state === 'Succeeded', seen: stage?.status?.state ?? 'no state' })),
    ...(pairs === undefined ? [] : [await compareSides(site, pairs)]),
    ...learned(dpo),
    ...compared(before, after),
  ]
}

function learned(run: TrainingRun | undefined): readonly Finding[] {
  const { accuracy, margin } = run?.status?.preferences ?? {}
  const rises = (from: string | undefined, to: string | undefined): boolean => Number(to) > Number(from)
  return [
    { claim: 'dpo tells the sides of a pair apart', held: rises(accuracy?.first, accuracy?.last), seen: `accuracy ${accuracy?.first} → ${accuracy?.last}` },
    { claim: 'its margin grows', held: rises(margin?.first, margin?.last), seen: `${margin?.first} → ${margin?.last}, held out ${margin?.evalFirst ?? '–'} → ${margin?.evalLast ?? '–'}` },
  ]
}

/** That there is a comparison is a claim; which model wins is a measurement. */
function compared(before: SWEBenchEval | undefined, after: SWEBenchEval | undefined): readonly Finding[] {
  const [comparison] = after?.status?.comparisons ?? []
  const seen = comparison === undefined ? 'no comparison' : `${before?.status?.resolvedRate?.value} → ${after?.status?.resolvedRate?.value}, difference from ${comparison.low} to ${comparison.high}, p ${comparison.pValue}`
  return [{ claim: 'the resolve rates are compared', held: comparison !== undefined && comparison.uid === before?.metadata.uid, seen }]
}
