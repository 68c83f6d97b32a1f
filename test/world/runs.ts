import type { TrainingRun } from '../../crds/training-run.ts'
import { describe } from './describe.ts'
import type { Place } from './site.ts'
import { until } from './until.ts'

/** A TrainingRun as a user would write it; only what a test cares about is said. */
export function trainingRun(name: string, namespace: string, spec: Readonly<Record<string, unknown>>): object {
  return { apiVersion: 'swe-operator.dev/v1alpha1', kind: 'TrainingRun', metadata: { name, namespace }, spec }
}

export async function readRun({ site, namespace }: Place, name: string): Promise<TrainingRun | undefined> {
  return site.kube.get<TrainingRun>('trainingrun', name, namespace)
}

/** Waits for a state, and fails at once when the run ends in another final one. */
export async function untilState(place: Place, name: string, state: string, seconds: number): Promise<TrainingRun> {
  const reached = await until(`${place.namespace}/${name} is ${state}`, seconds, async () => {
    const run = await readRun(place, name)
    const done = run?.status?.state === state && run.status.observedGeneration === run.metadata.generation
    return done || isFinal(run) ? run : undefined
  }, () => describeRun(place, name))
  if (reached.status?.state !== state) throw new Error(`${place.namespace}/${name} ended ${reached.status?.state}, not ${state}:\n${await describeRun(place, name)}`)
  return reached
}

export async function untilStep(place: Place, name: string, step: number, seconds: number): Promise<TrainingRun> {
  return until(`${place.namespace}/${name} is at step ${step}`, seconds, async () => {
    const run = await readRun(place, name)
    return (run?.status?.progress?.step ?? 0) >= step || isFinal(run) ? run : undefined
  }, () => describeRun(place, name))
}

function isFinal(run: TrainingRun | undefined): boolean {
  return run?.status?.conditions?.some((one) => (one.type === 'Complete' || one.type === 'Stalled') && one.status === 'True') ?? false
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
