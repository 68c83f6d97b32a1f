// A PreferenceGen whose model is served, as its plan sees it.
import { parsePreferenceGen, type PreferenceGen, type PreferenceGenSpec, type PreferenceGenStatus } from '../../crds/preference-gen.ts'
import { buildServer, buildServerPolicy, buildServerService } from '../../controllers/generation/resources/server.ts'
import { buildServingInputs } from '../../controllers/generation/resources/serving.ts'
import type { Server } from '../../controllers/generation/serving/server.ts'
import { poolsSchema } from '../../controllers/pools/pool-config.ts'
import type { Observed } from '../../controllers/preference-gen/observed.ts'
import { plan } from '../../controllers/preference-gen/plan.ts'
import { resolve } from '../../controllers/preference-gen/resolve.ts'
import type { ContainerStatus, Pod } from '../../controllers/shared/kinds.ts'
import { roleLabels } from '../../controllers/shared/labels.ts'

export const NOW = new Date('2026-01-01T01:00:00Z')
export const settings = { harnessImage: 'harness:1', imagePullPolicy: 'Never', trainer: { image: 'trainer:1', imagePullPolicy: 'Never' }, serverImages: { Transformers: 'trainer:1', VLLM: 'docker.io/vllm/vllm-openai:v0.26.0', SGLang: 'docker.io/lmsysorg/sglang:v0.5.18' }, currency: 'USD', pools: [], artifactsUrl: 'https://artifacts:8443', progressUrl: 'https://progress:8443', bucket: 'swe', caBundle: () => 'CA' } as const
export const tiny = { s3: { uri: 's3://swe/team/models/tiny' } }

export type Changes = Partial<Omit<Observed, 'generation'>> & Readonly<{ model?: NonNullable<PreferenceGenSpec['generation']>['model']; spec?: Partial<PreferenceGenSpec>; status?: PreferenceGenStatus }>

/** A PreferenceGen whose model is served, in a cluster that works. */
export function serving({ model = tiny, spec, status, ...more }: Changes = {}): Observed {
  const generation: PreferenceGen = parsePreferenceGen({
    apiVersion: 'swe-operator.dev/v1alpha1', kind: 'PreferenceGen',
    metadata: { namespace: 'team', name: 'smith', uid: '0b5e7c1a-gen', generation: 1 },
    spec: { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWESmith' }, generation: { model }, ...spec },
    ...(status === undefined ? {} : { status }),
  } as PreferenceGen)
  return { generation, now: NOW, settings, resolved: resolve(generation, settings), caBundle: 'CA', server: { pods: [] }, askings: [], preparations: [], reports: [], leftovers: [], consulted: true, ...more }
}

/** All parts of the server, and its pod if it has one. */
export function served(...pods: readonly Pod[]): Server {
  const { generation, resolved } = serving()
  return { deployment: buildServer(generation, resolved, settings), service: buildServerService(generation), policy: buildServerPolicy(generation), inputs: buildServingInputs(generation, resolved, 'CA'), pods }
}

export type Told = Readonly<{ fetch?: Omit<ContainerStatus, 'name'>; serve?: Omit<ContainerStatus, 'name'>; ready?: true; gone?: true; name?: string }>

export function aPod({ fetch = { state: { terminated: { exitCode: 0 } } }, serve = {}, ready, gone, name = 'smith-prefs-serve-1' }: Told = {}): Pod {
  const conditions = [{ type: 'PodScheduled', status: 'True', lastTransitionTime: '2026-01-01T00:50:00Z' }, { type: 'Ready', status: ready ? 'True' : 'False' }]
  return {
    apiVersion: 'v1', kind: 'Pod',
    metadata: { namespace: 'team', name, uid: `uid-${name}`, labels: roleLabels(serving().generation, 'serve'), creationTimestamp: '2026-01-01T00:50:00Z', ...(gone ? { deletionTimestamp: '2026-01-01T01:00:00Z' } : {}) },
    spec: { nodeName: 'n1' },
    status: { phase: 'Running', conditions, initContainerStatuses: [{ name: 'fetch', ...fetch }], containerStatuses: [{ name: 'serve', ...serve }] },
  }
}

export const said = (exitCode: number, reason: string, message: string) => JSON.stringify({ kind: 'Fetch', exitCode, reason, message })
export const ended = (exitCode: number, message: string, more: object = {}) => ({ terminated: { exitCode, message, ...more } })
export const running = { state: { running: { startedAt: '2026-01-01T00:51:00Z' } } }
export const ready = () => served(aPod({ serve: running, ready: true }))
export const asking = () => ({ askings: [{ number: 1, job: { apiVersion: 'batch/v1', kind: 'Job', metadata: { namespace: 'team', name: 'smith-prefs-generate-1' } }, pods: [] }] })

export const statusOf = (seen: Observed): PreferenceGenStatus => plan(seen).status ?? {}
export const stateOf = (seen: Observed): unknown => statusOf(seen).state
export const saidOf = (seen: Observed): string => statusOf(seen).conditions?.find(({ type }) => type === 'Ready')?.message ?? ''
export const written = (seen: Observed): readonly string[] => plan(seen).writes.map((write) => (write.op === 'create' || write.op === 'apply' ? `${write.op} ${write.object.kind} ${write.object.metadata.name}` : `${write.op} ${write.ref.kind} ${write.ref.name}`))
export const GONE = ['remove Deployment smith-prefs-serve', 'remove Service smith-prefs-serve', 'remove NetworkPolicy smith-prefs-serve']

/** What the installation has for servers on GPUs, without a price. */
export const pools = poolsSchema.parse([{ name: 'a100', platform: 'GKE', gpu: 'A100-80', maxGpusPerNode: 4 }, { name: 'cpu' }])
/** The same with engine VLLM on GPUs of one of the pools. */
export const onGpus = (more: object, known = pools, spec: Partial<PreferenceGenSpec> = {}): Observed => {
  const seen = serving({ spec })
  const generation = { ...seen.generation, spec: { ...seen.generation.spec, generation: { model: tiny, serving: { engine: 'VLLM', pool: 'a100', ...more } } } } as PreferenceGen
  const installation = { ...settings, pools: known }
  return { ...seen, generation, resolved: resolve(generation, installation), settings: installation }
}
