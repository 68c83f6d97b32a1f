import type { V1JobSpec, V1PodSpec } from '@kubernetes/client-node'
import { nameEnding } from '../../operator/meta/names.ts'
import { ownedBy } from '../../operator/meta/owner.ts'
import type { DesiredJob } from '../shared/kinds.ts'
import { numberedLabels, type Role } from '../shared/labels.ts'
import { failingExitCodes } from './endings.ts'
import { podProfile, programContainer, programMounts, type PodProgram } from './program-pod.ts'

/** One of our programs, run once in a Job of its own. */
export type Program = PodProgram & Readonly<{
  role: Role
  number: number
  /** Of the name of the Job, behind that of its owner. */
  end: string
  finalizers?: readonly string[]
  /** Of the Job alone. */
  annotations?: Readonly<Record<string, string>>
  placement?: Placement
}>

/** Which nodes the pod may have, and who decides when. */
export type Placement = Readonly<{
  pod: Pick<V1PodSpec, 'affinity' | 'nodeSelector' | 'tolerations' | 'priorityClassName'>
  /** Labels of the Job alone; with them it is created suspended, and whoever reads them lets it go. */
  queueLabels?: Readonly<Record<string, string>>
}>

/** A Job that runs its program once: whether there is another try is ours to decide, so Kubernetes never retries. */
export function buildJob(program: Program): DesiredJob {
  const { owner, role, number, end, placement } = program
  const labels = numberedLabels(owner, role, number)
  const spec: V1JobSpec = {
    backoffLimit: 0,
    completions: 1,
    parallelism: 1,
    ...(placement?.queueLabels === undefined ? {} : { suspend: true }),
    podReplacementPolicy: 'Failed',
    ...(placement?.queueLabels === undefined ? { podFailurePolicy: failAtOnce(role) } : {}),
    template: {
      metadata: { labels: { ...labels }, ...(program.finalizers === undefined ? {} : { finalizers: [...program.finalizers] }) },
      spec: buildPodSpec(program),
    },
  }
  const { namespace = '' } = owner.metadata
  const annotations = program.annotations === undefined ? {} : { annotations: program.annotations }
  const metadata = { namespace, name: nameEnding(owner.metadata.name, end), labels: { ...labels, ...placement?.queueLabels }, ...annotations, ownerReferences: [ownedBy(owner)] }
  return { apiVersion: 'batch/v1', kind: 'Job', metadata, spec }
}

/**
 * Not where a queue may suspend the Job: the policy would fail it for the pod that the suspension ends.
 * There the backoffLimit of 0 does the same for every other end.
 */
function failAtOnce(containerName: Role): NonNullable<V1JobSpec['podFailurePolicy']> {
  return {
    rules: [
      { action: 'FailJob', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
      { action: 'FailJob', onExitCodes: { containerName, operator: 'In', values: [...failingExitCodes()] } },
    ],
  }
}

function buildPodSpec(program: Program): V1PodSpec {
  return {
    restartPolicy: 'Never',
    ...podProfile(program.settings, program.gracePeriodSeconds),
    ...program.placement?.pod,
    containers: [programContainer(program, program.role)],
    volumes: programMounts(program).map(({ volume }) => volume),
  }
}
