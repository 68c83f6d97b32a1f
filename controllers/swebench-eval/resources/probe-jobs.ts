// The two pods that try, with the profile of a sandbox, how well sandboxes are closed: one tries, the other one is there to be reached.
import type { V1EnvVar } from '@kubernetes/client-node'
import type { SWEBenchEval } from '../../../crds/swebench-eval.ts'
import { nameEnding } from '../../../operator/meta/names.ts'
import { ownedBy } from '../../../operator/meta/owner.ts'
import type { DesiredJob } from '../../shared/kinds.ts'
import { numberedLabels } from '../../shared/labels.ts'
import type { Resolved } from '../resolve.ts'
import type { Settings } from '../settings.ts'
import { profileOf, UNTRUSTED } from './sandbox-pod.ts'

const MODULE = 'swe_workloads.evaluation.isolation_probe'
const DEADLINE_SECONDS = 3600 // for an image that is slow to come; the programs end by themselves in minutes

export type ProbePlan = Readonly<{ evaluation: SWEBenchEval; resolved: Resolved; settings: Settings; number: number }>

export function buildListenerJob(plan: ProbePlan): DesiredJob {
  return buildJob(plan, { role: 'listener', arguments: ['listen'], env: [] })
}

/** `listener` is the address of the other pod. */
export function buildProbeJob(plan: ProbePlan, listener: string): DesiredJob {
  const env = [
    { name: 'SWE_OTHER_SANDBOX', value: listener },
    { name: 'SWE_NODE_ADDRESS', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } },
    { name: 'SWE_NAME_SERVERS', value: plan.settings.nameServers.join(',') },
    { name: 'SWE_NETWORK', value: plan.resolved.network },
  ]
  return buildJob(plan, { role: 'probe', arguments: [], env })
}

type Part = Readonly<{ role: 'listener' | 'probe'; arguments: readonly string[]; env: readonly V1EnvVar[] }>

function buildJob(plan: ProbePlan, { role, arguments: words, env }: Part): DesiredJob {
  const { evaluation, settings, number } = plan
  const { namespace = '', name } = evaluation.metadata
  const labels = numberedLabels(evaluation, role, number)
  const container = {
    name: role,
    image: settings.harnessImage,
    imagePullPolicy: settings.imagePullPolicy,
    command: ['python', '-m', MODULE, ...words],
    env: [...env, { name: 'PYTHONDONTWRITEBYTECODE', value: '1' }],
    resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '256Mi' } },
    securityContext: UNTRUSTED,
  }
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { namespace, name: nameEnding(name, `-eval-${role}-${number}`), labels, ownerReferences: [ownedBy(evaluation)] },
    spec: {
      backoffLimit: 0,
      completions: 1,
      parallelism: 1,
      podReplacementPolicy: 'Failed',
      activeDeadlineSeconds: DEADLINE_SECONDS,
      template: { metadata: { labels: { ...labels } }, spec: { ...profileOf(plan), containers: [container] } },
    },
  }
}
