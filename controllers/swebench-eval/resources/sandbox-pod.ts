import type { V1Container, V1PodSpec, V1SecurityContext } from '@kubernetes/client-node'
import type { SWEBenchEval } from '../../../crds/swebench-eval.ts'
import type { KubeObject } from '../../../operator/api/object.ts'
import type { Unit } from '../../../operator/fan-out/task.ts'
import { ownedBy } from '../../../operator/meta/owner.ts'
import { ownerUrl } from '../../jobs/identity.ts'
import { CA_FILE } from '../../jobs/program-pod.ts'
import { numberedLabels } from '../../shared/labels.ts'
import { GRADE, TEST } from '../judgement.ts'
import { nodeSelectorOf, type Resolved } from '../resolve.ts'
import { podKeyOf } from '../sandbox.ts'
import type { Purpose } from '../second-looks.ts'
import type { Settings } from '../settings.ts'
import { inputsName } from './inputs.ts'

/** On sandbox pods: the ordinal of their prediction. */
export const PREDICTION = 'swe-operator.dev/prediction'

const SHARED = '/swe'
const PARSE = '/parse' // what the parser reads, and
const PARSED = '/parsed' // what it writes
const GATE_SECONDS = 0.02 // between two looks: a FIFO or a watcher would need more of the image than bash and sleep
const SLACK_SECONDS = 1200 // for the patch to be applied, the log to be read and parsed, and for a kubelet that lags; grade keeps the real clocks
const GRADE_UID = 1000
const PARSE_UID = 1001

/** `address` is that of the endpoint; without it sandboxes find it by its name. */
export type SandboxPlan = Readonly<{ evaluation: SWEBenchEval; resolved: Resolved; settings: Settings; unit: Unit; purpose: Purpose; image: string; capability: string; address?: string }>

/**
 * The pod that tests one prediction: `test` is the instance's image and untrusted, `grade` is ours and judges. For
 * SWE-bench Pro, `parse` runs the parser that comes with the rows. Always the same for the same try.
 */
export function buildSandboxPod(plan: SandboxPlan): KubeObject & Readonly<{ spec: V1PodSpec }> {
  const { evaluation, unit, resolved } = plan
  const { namespace = '', name, uid = '' } = evaluation.metadata
  const key = podKeyOf({ namespace, evaluation: name, uid, unit })
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...key, labels: { ...numberedLabels(evaluation, 'sandbox', unit.attempt), [PREDICTION]: String(unit.ordinal) }, ownerReferences: [ownedBy(evaluation)] },
    spec: {
      ...profileOf(plan),
      ...operatorByName(plan),
      activeDeadlineSeconds: resolved.pullTimeoutSeconds + resolved.timeoutSeconds + SLACK_SECONDS,
      containers: [gradeContainer(plan), testContainer(plan), ...(hasParser(plan) ? [parseContainer(plan)] : [])],
      volumes: [
        { name: 'swe', emptyDir: { sizeLimit: '1Gi' } },
        { name: 'work', emptyDir: { sizeLimit: '2Gi' } },
        { name: 'trust', configMap: { name: inputsName(evaluation), items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        ...(hasParser(plan) ? PARSER_VOLUMES : []),
      ],
    },
  }
}

/** What is the same for a sandbox and for the pods that try how well it is closed. */
export function profileOf({ evaluation, resolved, settings }: Pick<SandboxPlan, 'evaluation' | 'resolved' | 'settings'>): Partial<V1PodSpec> {
  const pullSecrets = pullSecretsOf(evaluation, settings)
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 5,
    securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
    // A name server is a way out that no network policy on addresses closes.
    ...(resolved.network === 'Deny' ? { dnsPolicy: 'None', dnsConfig: { nameservers: ['127.0.0.1'] } } : {}),
    nodeSelector: { ...nodeSelectorOf(evaluation) },
    ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets.map((name) => ({ name })) }),
  }
}

/** Names of the Secrets that its images are pulled with. */
export function pullSecretsOf({ spec }: SWEBenchEval, { imagePullSecrets = [] }: Settings): readonly string[] {
  return [...imagePullSecrets, ...(spec.images?.pullSecrets ?? [])]
}

/** Of whatever is not ours: root, as the images assume, and without a single capability. */
export const UNTRUSTED = { runAsUser: 0, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } as const satisfies V1SecurityContext

/** The one name that is needed comes with the pod. */
function operatorByName({ address, settings: { endpointHost } }: SandboxPlan): Partial<V1PodSpec> {
  return address === undefined ? { dnsPolicy: 'ClusterFirst', dnsConfig: {} } : { hostAliases: [{ ip: address, hostnames: [endpointHost] }] }
}

function hasParser({ evaluation, purpose }: SandboxPlan): boolean {
  return evaluation.spec.instances.format === 'SWEBenchPro' && purpose !== 'DryRun'
}

// The second one is memory of the container that fills it: on a disk it would be the node's, and the pod evicted.
const PARSER_VOLUMES = [
  { name: 'parse', emptyDir: { sizeLimit: '256Mi' } },
  { name: 'parsed', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
]

function gradeContainer(plan: SandboxPlan): V1Container {
  const { evaluation, unit, purpose, resolved, settings, capability } = plan
  const url = `${ownerUrl(settings.artifactsUrl, evaluation)}/predictions/${unit.ordinal}/attempts/${unit.attempt}`
  return {
    name: GRADE,
    image: settings.harnessImage,
    imagePullPolicy: settings.imagePullPolicy,
    command: ['python', '-m', 'swe_workloads.evaluation.grade'],
    env: [
      { name: 'SWE_ARTIFACTS_URL', value: url },
      { name: 'SWE_CAPABILITY', value: capability },
      { name: 'SWE_CA_FILE', value: CA_FILE },
      { name: 'SWE_ORDINAL', value: String(unit.ordinal) },
      { name: 'SWE_ATTEMPT', value: String(unit.attempt) },
      { name: 'SWE_PURPOSE', value: purpose },
      { name: 'SWE_START_SECONDS', value: String(resolved.pullTimeoutSeconds) },
      { name: 'HOME', value: '/work' },
      { name: 'TMPDIR', value: '/work' },
      { name: 'NO_PROXY', value: '.svc,.cluster.local' },
    ],
    resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '2Gi' } },
    securityContext: nobody(GRADE_UID),
    volumeMounts: [
      { name: 'swe', mountPath: SHARED },
      { name: 'work', mountPath: '/work' },
      { name: 'trust', mountPath: '/etc/swe-operator', readOnly: true },
      ...(hasParser(plan) ? [{ name: 'parse', mountPath: PARSE }, { name: 'parsed', mountPath: PARSED, readOnly: true }] : []),
    ],
  }
}

/** The parser is foreign code that reads what hostile tests printed: another user than `grade`, nothing of ours in its environment, one folder to write to. */
function parseContainer({ settings }: SandboxPlan): V1Container {
  return {
    name: 'parse',
    image: settings.harnessImage,
    imagePullPolicy: settings.imagePullPolicy,
    command: ['python', '-m', 'swe_workloads.evaluation.parse'],
    resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { cpu: '1', memory: '1Gi' } },
    securityContext: nobody(PARSE_UID),
    volumeMounts: [{ name: 'parse', mountPath: PARSE, readOnly: true }, { name: 'parsed', mountPath: PARSED }],
  }
}

function nobody(uid: number): V1SecurityContext {
  return { runAsNonRoot: true, runAsUser: uid, runAsGroup: uid, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } }
}

// Nearly every eval script begins with `pip install -e .`, which without these asks an index in vain, again and again.
// The second one is inverted in pip: 0 means that build dependencies are taken from where they are installed.
export const PIP_WITHOUT_NETWORK = [
  { name: 'PIP_RETRIES', value: '0' },
  { name: 'PIP_NO_BUILD_ISOLATION', value: '0' },
  { name: 'PIP_DISABLE_PIP_VERSION_CHECK', value: '1' },
]

/** It gets no secret, no token and nothing it could write to outside itself. */
function testContainer({ resolved, settings, image }: SandboxPlan): V1Container {
  const { cpu, memory, ephemeralStorage } = resolved
  return {
    name: TEST,
    image,
    ...(settings.imagePullPolicy === 'Never' ? { imagePullPolicy: 'Never' } : {}),
    command: ['/bin/bash', '-c', `until [ -e ${SHARED}/go ]; do sleep ${GATE_SECONDS}; done; exec /bin/bash ${SHARED}/sandbox.sh`],
    env: resolved.network === 'Deny' ? PIP_WITHOUT_NETWORK : [],
    resources: { requests: { cpu, memory, 'ephemeral-storage': ephemeralStorage }, limits: { memory, 'ephemeral-storage': ephemeralStorage } },
    securityContext: UNTRUSTED,
    volumeMounts: [{ name: 'swe', mountPath: SHARED, readOnly: true }],
  }
}
