import type { TrainingRun } from '../../crds/training-run.ts'
import { describe } from './describe.ts'
import type { Place } from './site.ts'
import { isFinal, untilIn } from './states.ts'
import { until } from './until.ts'

/** A TrainingRun as a user would write it; only what a test cares about is said. */
export function trainingRun(name: string, namespace: string, spec: Readonly<Record<string, unknown>>): object {
  return { apiVersion: 'swe-operator.dev/v1alpha1', kind: 'TrainingRun', metadata: { name, namespace }, spec }
}

export async function readRun({ site, namespace }: Place, name: string): Promise<TrainingRun | undefined> {
  return site.kube.get<TrainingRun>('trainingrun', name, namespace)
}

export function untilState(place: Place, name: string, state: string, seconds: number): Promise<TrainingRun> {
  return untilIn(place, { kind: 'trainingrun', name }, state, seconds)
}

export async function untilStep(place: Place, name: string, step: number, seconds: number): Promise<TrainingRun> {
  return until(`${place.namespace}/${name} is at step ${step}`, seconds, async () => {
    const run = await readRun(place, name)
    return (run?.status?.progress?.step ?? 0) >= step || isFinal(run) ? run : undefined
  }, () => describeRun(place, name))
}

export function describeRun(place: Place, name: string): Promise<string> {
  return describe(place, 'trainingrun', name)
}

/** The pod of the attempt that is training now. */
export async function trainingPod({ site, namespace }: Place, name: string): Promise<Readonly<{ name: string; uid: string }>> {
  const pods = await site.kube.list<{ metadata: { name: string; uid: string }; status?: { phase?: string } }>('pods', {
    namespace,
    selector: `swe-operator.dev/training-run=${name},swe-operator.dev/role=train`,
  })
  const live = pods.find((pod) => pod.status?.phase === 'Running')
  if (!live) throw new Error(`${namespace}/${name} has no running training pod`)
  return live.metadata
}
