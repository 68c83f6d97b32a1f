import type { V1EnvVar, V1JobSpec, V1PodSpec, V1ResourceRequirements, V1Volume, V1VolumeMount } from '@kubernetes/client-node'
import type { TrainingRun } from '../../../crds/training-run.ts'
import { ownedBy } from '../../../operator/meta/owner.ts'
import type { DesiredJob } from '../../shared/kinds.ts'
import { numberedLabels, type Role } from '../../shared/labels.ts'
import { failingExitCodes } from '../reasons.ts'
import type { Resolved } from '../resolve.ts'
import { runUrl, type Settings } from '../settings.ts'
import { inputsName } from './config-map.ts'

const INPUTS = '/etc/swe-operator'
const TOKENS = '/var/run/secrets/swe-operator'
const WORK = '/work'
const TOKEN_SECONDS = 3600 // the kubelet renews it at 80 %; the programs read the file anew for each request
const UID = 1000 // the trainer image's user
const GROUP_READ_ONLY = 0o440

export const CA_FILE = `${INPUTS}/ca.crt`
export const TOKEN_FILE = `${TOKENS}/token`

/** What distinguishes one of our Jobs from another. */
export type Program = Readonly<{
  run: TrainingRun
  resolved: Resolved
  settings: Settings
  role: Role
  number: number
  image: string
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

export const AUDIENCE_PREFIX = 'swe-operator.dev/trainingruns/'

/** The audience of the tokens of a run: one run's token is worth nothing to another. */
export function audienceOf(run: TrainingRun): string {
  return `${AUDIENCE_PREFIX}${run.metadata.uid}`
}

function prepareJobName(run: TrainingRun, number: number): string {
  return `${run.metadata.name}-prepare-${number}`
}

function attemptJobName(run: TrainingRun, number: number): string {
  return `${run.metadata.name}-a${number}`
}

/** A Job that runs its program once: whether there is another try is ours to decide, so Kubernetes never retries. */
export function buildJob(program: Program): DesiredJob {
  const { run, role, number, placement } = program
  const name = role === 'prepare' ? prepareJobName(run, number) : attemptJobName(run, number)
  const labels = numberedLabels(run, role, number)
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
  const { namespace = '' } = run.metadata
  const annotations = program.annotations === undefined ? {} : { annotations: program.annotations }
  const metadata = { namespace, name, labels: { ...labels, ...placement?.queueLabels }, ...annotations, ownerReferences: [ownedBy(run)] }
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
  const { run, resolved, settings, role } = program
  const mounts = [...commonMounts(run), ...(program.mounts ?? [])]
  const pullSecrets = settings.imagePullSecrets ?? []
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: resolved.gracePeriodSeconds,
    securityContext: { runAsNonRoot: true, runAsUser: UID, runAsGroup: UID, fsGroup: UID, seccompProfile: { type: 'RuntimeDefault' } },
    ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets.map((name) => ({ name })) }),
    ...program.placement?.pod,
    containers: [{
      name: role,
      image: program.image,
      imagePullPolicy: settings.imagePullPolicy,
      command: ['python', '-m', `swe_workloads.${role}`],
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

function commonMounts(run: TrainingRun): readonly Mount[] {
  const token = { path: 'token', audience: audienceOf(run), expirationSeconds: TOKEN_SECONDS }
  return [
    { path: INPUTS, volume: { name: 'inputs', configMap: { name: inputsName(run) } } },
    { path: TOKENS, volume: { name: 'token', projected: { defaultMode: GROUP_READ_ONLY, sources: [{ serviceAccountToken: token }] } } },
    { path: WORK, volume: { name: 'work', emptyDir: {} }, writable: true },
  ]
}

function commonEnv({ run, resolved, settings }: Program): readonly V1EnvVar[] {
  return [
    { name: 'SWE_RUN_FILE', value: `${INPUTS}/run.json` },
    { name: 'SWE_ARTIFACTS_URL', value: runUrl(settings.artifactsUrl, run) },
    { name: 'SWE_CA_FILE', value: CA_FILE },
    { name: 'SWE_TOKEN_FILE', value: TOKEN_FILE },
    { name: 'SWE_POD_UID', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } },
    { name: 'SWE_GRACE_SECONDS', value: String(resolved.gracePeriodSeconds) },
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
export function credentialsMount(purpose: 'model' | 'data', secretName: string): Mount {
  const volume = { name: `${purpose}-credentials`, secret: { secretName, defaultMode: GROUP_READ_ONLY } }
  return { path: `/etc/swe-operator-credentials/${purpose}`, volume }
}
