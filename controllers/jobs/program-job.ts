import type { V1EnvVar, V1JobSpec, V1PodSpec, V1ResourceRequirements, V1Volume, V1VolumeMount } from '@kubernetes/client-node'
import { ownedBy } from '../../operator/meta/owner.ts'
import type { DesiredJob } from '../shared/kinds.ts'
import { numberedLabels, type Owner, type OwnerKind, type Role } from '../shared/labels.ts'
import { failingExitCodes } from './endings.ts'

const INPUTS = '/etc/swe-operator'
const TOKENS = '/var/run/secrets/swe-operator'
const WORK = '/work'
const TOKEN_SECONDS = 3600 // the kubelet renews it at 80 %; the programs read the file anew for each request
const UID = 1000 // the user of our images
const GROUP_READ_ONLY = 0o440

export const CA_FILE = `${INPUTS}/ca.crt`
export const TOKEN_FILE = `${TOKENS}/token`

/** What is the same for all programs of an installation. */
export type ImageSettings = Readonly<{
  imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never'
  /** Names of Secrets in the namespaces of the owners. */
  imagePullSecrets?: readonly string[]
}>

/** One of our programs, run once in a Job of its own. */
export type Program = Readonly<{
  owner: Owner
  role: Role
  number: number
  /** Of the Job. */
  name: string
  /** The Python module. */
  module: string
  image: string
  settings: ImageSettings
  /** The owner's own root of the artifact endpoint. */
  artifactsUrl: string
  /** The ConfigMap with `run.json` and `ca.crt`. */
  inputs: string
  gracePeriodSeconds: number
  resources: V1ResourceRequirements
  /** Of two entries of one name the later counts, these after our own. */
  env?: readonly V1EnvVar[]
  mounts?: readonly Mount[]
  finalizers?: readonly string[]
  /** Of the Job alone. */
  annotations?: Readonly<Record<string, string>>
  placement?: Placement
}>

/** A volume and where the program sees it; read-only unless said otherwise. */
export type Mount = Readonly<{ path: string; volume: V1Volume; writable?: true }>

/** Which nodes the pod may have, and who decides when. */
export type Placement = Readonly<{
  pod: Pick<V1PodSpec, 'affinity' | 'nodeSelector' | 'tolerations' | 'priorityClassName'>
  /** Labels of the Job alone; with them it is created suspended, and whoever reads them lets it go. */
  queueLabels?: Readonly<Record<string, string>>
}>

const AUDIENCES: Readonly<Record<OwnerKind, string>> = {
  TrainingRun: 'swe-operator.dev/trainingruns/',
  SWEBenchEval: 'swe-operator.dev/swebenchevals/',
}

/** The audience of the tokens of an owner's pods: they are worth nothing to another. */
export function audienceOf({ kind, metadata }: Owner): string {
  return `${AUDIENCES[kind]}${metadata.uid}`
}

/** Whether a text can be an audience of ours. */
export function isAudience(text: string): boolean {
  return Object.values(AUDIENCES).some((prefix) => text.startsWith(prefix) && /^[0-9a-z-]{1,64}$/.test(text.slice(prefix.length)))
}

/** A Job that runs its program once: whether there is another try is ours to decide, so Kubernetes never retries. */
export function buildJob(program: Program): DesiredJob {
  const { owner, role, number, name, placement } = program
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
  const metadata = { namespace, name, labels: { ...labels, ...placement?.queueLabels }, ...annotations, ownerReferences: [ownedBy(owner)] }
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
  const { settings, role, gracePeriodSeconds } = program
  const mounts = [...commonMounts(program), ...(program.mounts ?? [])]
  const pullSecrets = settings.imagePullSecrets ?? []
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: gracePeriodSeconds,
    securityContext: { runAsNonRoot: true, runAsUser: UID, runAsGroup: UID, fsGroup: UID, seccompProfile: { type: 'RuntimeDefault' } },
    ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets.map((name) => ({ name })) }),
    ...program.placement?.pod,
    containers: [{
      name: role,
      image: program.image,
      imagePullPolicy: settings.imagePullPolicy,
      command: ['python', '-m', program.module],
      env: lastOfEachName([...commonEnv(program), ...(program.env ?? [])]),
      resources: program.resources,
      securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      // Where a program dies without a word, the end of its log is the best that is left.
      terminationMessagePolicy: 'FallbackToLogsOnError',
      volumeMounts: mounts.map(({ path, volume, writable }): V1VolumeMount => ({ name: volume.name, mountPath: path, ...(writable ? {} : { readOnly: true }) })),
    }],
    volumes: mounts.map(({ volume }) => volume),
  }
}

function commonMounts({ owner, inputs }: Program): readonly Mount[] {
  const token = { path: 'token', audience: audienceOf(owner), expirationSeconds: TOKEN_SECONDS }
  return [
    { path: INPUTS, volume: { name: 'inputs', configMap: { name: inputs } } },
    { path: TOKENS, volume: { name: 'token', projected: { defaultMode: GROUP_READ_ONLY, sources: [{ serviceAccountToken: token }] } } },
    { path: WORK, volume: { name: 'work', emptyDir: {} }, writable: true },
  ]
}

function commonEnv({ artifactsUrl, gracePeriodSeconds }: Program): readonly V1EnvVar[] {
  return [
    { name: 'SWE_RUN_FILE', value: `${INPUTS}/run.json` },
    { name: 'SWE_ARTIFACTS_URL', value: artifactsUrl },
    { name: 'SWE_CA_FILE', value: CA_FILE },
    { name: 'SWE_TOKEN_FILE', value: TOKEN_FILE },
    { name: 'SWE_POD_UID', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } },
    { name: 'SWE_GRACE_SECONDS', value: String(gracePeriodSeconds) },
    { name: 'HOME', value: WORK },
    { name: 'TMPDIR', value: WORK },
    { name: 'HF_HOME', value: `${WORK}/huggingface` },
    { name: 'NO_PROXY', value: '.svc,.cluster.local' },
  ]
}

function lastOfEachName(env: readonly V1EnvVar[]): V1EnvVar[] {
  return [...new Map(env.map((one) => [one.name, one])).values()]
}

/** Credentials for one source, S3 keys or a hub token, as files; the operator names the Secret and never reads it. */
export function credentialsMount(purpose: string, secretName: string): Mount {
  const volume = { name: `${purpose}-credentials`, secret: { secretName, defaultMode: GROUP_READ_ONLY } }
  return { path: `/etc/swe-operator-credentials/${purpose}`, volume }
}
