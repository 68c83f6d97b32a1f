// A program of ours in a pod: its container, what it mounts, and what every pod of ours has.
import type { V1Container, V1EnvVar, V1PodSpec, V1ResourceRequirements, V1Volume, V1VolumeMount, V1VolumeProjection } from '@kubernetes/client-node'
import type { Owner } from '../shared/labels.ts'
import { audienceOf } from './identity.ts'

const INPUTS = '/etc/swe-operator'
const TOKENS = '/var/run/secrets/swe-operator'
const WORK = '/work'
const CREDENTIALS = '/etc/swe-operator-credentials'
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

/** One of our programs, in whatever kind of pod. */
export type PodProgram = Readonly<{
  owner: Owner
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
}>

/** A volume and where the program sees it; read-only unless said otherwise. */
export type Mount = Readonly<{ path: string; volume: V1Volume; writable?: true }>

/** What every pod of ours has, beside its containers and volumes. */
export function podProfile({ imagePullSecrets = [] }: ImageSettings, gracePeriodSeconds: number): Omit<V1PodSpec, 'containers'> {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: gracePeriodSeconds,
    securityContext: { runAsNonRoot: true, runAsUser: UID, runAsGroup: UID, fsGroup: UID, seccompProfile: { type: 'RuntimeDefault' } },
    ...(imagePullSecrets.length === 0 ? {} : { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) }),
  }
}

/** The container of a program. */
export function programContainer(program: PodProgram, name: string): V1Container {
  return {
    name,
    image: program.image,
    imagePullPolicy: program.settings.imagePullPolicy,
    command: ['python', '-m', program.module],
    env: lastOfEachName([...commonEnv(program), ...(program.env ?? [])]),
    resources: program.resources,
    ...CONTAINER_PROFILE,
    volumeMounts: volumeMounts(programMounts(program)),
  }
}

/** What every container of ours has. */
export const CONTAINER_PROFILE: Pick<V1Container, 'securityContext' | 'terminationMessagePolicy'> = {
  securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
  // Where a program dies without a word, the end of its log is the best that is left.
  terminationMessagePolicy: 'FallbackToLogsOnError',
}

/** All that a program mounts. */
export function programMounts({ owner, inputs, mounts = [] }: PodProgram): readonly Mount[] {
  const token = { path: 'token', audience: audienceOf(owner), expirationSeconds: TOKEN_SECONDS }
  return [
    { path: INPUTS, volume: { name: 'inputs', configMap: { name: inputs } } },
    { path: TOKENS, volume: { name: 'token', projected: { defaultMode: GROUP_READ_ONLY, sources: [{ serviceAccountToken: token }] } } },
    WORK_MOUNT,
    ...mounts,
  ]
}

/** Where programs may write. */
export const WORK_MOUNT: Mount = { path: WORK, volume: { name: 'work', emptyDir: {} }, writable: true }

export function volumeMounts(mounts: readonly Mount[]): V1VolumeMount[] {
  return mounts.map(({ path, volume, writable }) => ({ name: volume.name, mountPath: path, ...(writable ? {} : { readOnly: true }) }))
}

function commonEnv({ artifactsUrl, gracePeriodSeconds }: PodProgram): readonly V1EnvVar[] {
  return [
    { name: 'SWE_RUN_FILE', value: `${INPUTS}/run.json` },
    { name: 'SWE_ARTIFACTS_URL', value: artifactsUrl },
    { name: 'SWE_CA_FILE', value: CA_FILE },
    { name: 'SWE_TOKEN_FILE', value: TOKEN_FILE },
    { name: 'SWE_POD_UID', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } },
    { name: 'SWE_GRACE_SECONDS', value: String(gracePeriodSeconds) },
    ...WORK_ENV,
    { name: 'NO_PROXY', value: '.svc,.cluster.local' },
  ]
}

/** Sends whatever libraries write to where a program may write. */
export const WORK_ENV: readonly V1EnvVar[] = [
  { name: 'HOME', value: WORK },
  { name: 'TMPDIR', value: WORK },
  { name: 'HF_HOME', value: `${WORK}/huggingface` },
]

function lastOfEachName(env: readonly V1EnvVar[]): V1EnvVar[] {
  return [...new Map(env.map((one) => [one.name, one])).values()]
}

/** Credentials out of several Secrets, as files of one folder. */
export function projectedCredentials(purpose: string, sources: readonly V1VolumeProjection[]): Mount {
  const volume = { name: `${purpose}-credentials`, projected: { defaultMode: GROUP_READ_ONLY, sources: [...sources] } }
  return { path: `${CREDENTIALS}/${purpose}`, volume }
}

/** What images of instances are pulled with, for a program that asks their registries itself. As with a pull, a Secret that does not exist is none. */
export function pullSecretMounts(secrets: readonly string[]): readonly Mount[] {
  const names = [...new Set(secrets)]
  if (names.length === 0) return []
  return [projectedCredentials('images', names.map((name) => ({ secret: { name, optional: true, items: [{ key: '.dockerconfigjson', path: `${name}.json` }] } })))]
}

/** Credentials for one source, S3 keys or a hub token, as files; the operator names the Secret and never reads it. */
export function credentialsMount(purpose: string, secretName: string): Mount {
  const volume = { name: `${purpose}-credentials`, secret: { secretName, defaultMode: GROUP_READ_ONLY } }
  return { path: `${CREDENTIALS}/${purpose}`, volume }
}
