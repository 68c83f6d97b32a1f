import { getServers } from 'node:dns'
import { createWarningReader } from './jobs/warnings.ts'
import { TrainingRunType } from '../crds/training-run.ts'
import type { Connection } from '../operator/api/kubeconfig.ts'
import { SWEBenchEvalType } from '../crds/swebench-eval.ts'
import { PreferenceGenType } from '../crds/preference-gen.ts'
import type { KubeObject, ObjectKey, ResourceType } from '../operator/api/object.ts'
import type { CachedKind } from '../operator/cache/cache.ts'
import { createManager, type Manager } from '../operator/manager.ts'
import type { ManagerOptions, Runtime, Service } from '../operator/runtime.ts'
import type { Log } from '../operator/observe/log.ts'
import type { World } from '../operator/world.ts'
import type { Config } from './config.ts'
import { endpointAddress } from './endpoint/address.ts'
import { CAPABILITY_SECRET, createCapabilities, type Capabilities } from './endpoint/capabilities.ts'
import { createGate } from './endpoint/gate.ts'
import { createEndpointMetrics, type EndpointMetrics } from './endpoint/metrics.ts'
import { createProgressBook, type ProgressBook } from './endpoint/progress-book.ts'
import { createSandboxGate } from './endpoint/sandbox-gate.ts'
import { endpointService } from './endpoint/service.ts'
import { createTokenReviews } from './endpoint/token-reviews.ts'
import { serverKinds } from './generation/watched.ts'
import { labelOwnPod } from './leader-label.ts'
import { exposeEvaluationMetrics } from './metrics/evaluation-metrics.ts'
import { exposePreferenceMetrics } from './metrics/preference-metrics.ts'
import { exposeRunMetrics } from './metrics/run-metrics.ts'
import { exposeServingMetrics } from './metrics/serving-metrics.ts'
import { LEASE } from './permissions.ts'
import { PREFERENCE_GEN_CONTROLLER, preferenceGenController, preferenceGenKinds } from './preference-gen/controller.ts'
import { PodType, type Pod } from './shared/kinds.ts'
import type { OwnerKind } from './shared/labels.ts'
import { ownSecret } from './shared/own-secret.ts'
import { embeddedCredentials, mountedCredentials } from './store/credentials.ts'
import { createEvaluationStore } from './store/evaluations.ts'
import { storeService } from './store/service.ts'
import { createObjectStore, type ObjectStore } from './store/store.ts'
import { createVerdictStore } from './store/verdicts.ts'
import { SWEBENCH_EVAL_CONTROLLER, sweBenchEvalController, sweBenchEvalKinds } from './swebench-eval/controller.ts'
import { Gradings } from './swebench-eval/gradings.ts'
import type { Settings as EvalSettings } from './swebench-eval/settings.ts'
import { createTlsKeeper, TLS_SECRET, type TlsKeeper } from './tls/keeper.ts'
import { TRAINING_RUN_CONTROLLER, trainingRunController, trainingRunKinds } from './training-run/controller.ts'
import { createNodeReader } from './training-run/queue/nodes.ts'
import { createQueueReader } from './training-run/queue/workload.ts'
import type { Settings } from './training-run/settings.ts'

const FIELD_MANAGER = 'swe-operator'

export type Surroundings = Readonly<{ connection: Connection; world: World; log: Log }> & Pick<ManagerOptions, 'recordCall'>

/** Wires one replica of the operator. Nothing runs before `start`. */
export function createOperator(config: Config, surroundings: Surroundings): Manager {
  const { runtime, bind } = laterRuntime()
  const store = openStore(config, runtime, surroundings)
  const keeper = keepCertificates(config, runtime, surroundings)
  const progress = once(() => trackProgress(runtime()))
  const queue = once(() => createQueueReader(runtime().client, surroundings.world))
  const nodes = once(() => createNodeReader(runtime().client, surroundings.world))
  const capabilities = createCapabilities(ownSecret(() => runtime().unfenced, { namespace: config.pod.namespace, name: CAPABILITY_SECRET }))
  const evaluations = createEvaluationStore(store)
  const gradings = new Gradings(() => ({
    ...runtime(), client: runtime().ungated, settings: evalSettingsOf(config, keeper), store: evaluations, capabilityOf: capabilities.of, endpointAddress: () => endpointAddress(runtime().unfenced, config.pod.namespace, config.artifactsHost), fieldManager: FIELD_MANAGER,
    wake: (key) => runtime().enqueue(SWEBENCH_EVAL_CONTROLLER, key),
  }))
  const sources = {
    settings: settingsOf(config, keeper),
    store: createVerdictStore(store),
    progress: { of: (uid: string) => progress().book.of(uid), paceOf: (uid: string) => progress().book.paceOf(uid) },
    warnings: { latest: (object: KubeObject) => createWarningReader(runtime().client).latest(object) },
    queue: { of: (job: KubeObject) => queue().of(job) },
    nodes: { labelsOf: (name: string) => nodes().labelsOf(name) },
  }
  const graded = { ...sources, settings: evalSettingsOf(config, keeper), store: evaluations }
  return createManager({
    ...surroundings,
    pod: config.pod,
    leaseName: LEASE,
    fieldManager: FIELD_MANAGER,
    controllers: [trainingRunController(sources), preferenceGenController(graded), sweBenchEvalController({ ...graded, sandboxes: gradings })],
    kinds: kindsIn(config.watchNamespaces),
    http: { host: config.endpoints.host, port: config.endpoints.healthPort },
    services: (led) => {
      bind(led)
      exposeMetrics(led, progress().book)
      return [storeService(store, led.world, led.log), serveEndpoint(config, led, { store, keeper, capabilities, ...progress() }), gradings.service()]
    },
    onLeading: (led) => labelOwnPod(led, config.pod, 'Leader'),
    onStandby: (led) => labelOwnPod(led, config.pod, 'Standby'),
  })
}

function exposeMetrics(led: Runtime, book: ProgressBook): void {
  exposeRunMetrics({ ...led, book })
  exposePreferenceMetrics(led)
  exposeEvaluationMetrics(led)
  exposeServingMetrics(led)
}

/** The runtime is made from the parts and they need it only once they work. */
function laterRuntime(): Readonly<{ runtime: () => Runtime; bind: (made: Runtime) => void }> {
  let bound: Runtime | undefined
  const runtime = (): Runtime => {
    if (bound === undefined) throw new Error('a part was used before the operator was put together')
    return bound
  }
  return { runtime, bind: (made) => void (bound = made) }
}

function settingsOf({ trainer, store, artifactsHost, progressHost, endpoints, pools, currency }: Config, keeper: TlsKeeper): Settings {
  return {
    trainerImage: trainer.image,
    gpuTrainerImage: trainer.gpuImage,
    imagePullPolicy: trainer.imagePullPolicy,
    imagePullSecrets: trainer.imagePullSecrets,
    artifactsUrl: `https://${artifactsHost}:${endpoints.port}`,
    progressUrl: `https://${progressHost}:${endpoints.port}`,
    bucket: store.bucket,
    pools,
    currency,
    caBundle: keeper.bundle,
  }
}

function evalSettingsOf({ harness, trainer, serving, pools, currency, store, artifactsHost, progressHost, endpoints, pod }: Config, keeper: TlsKeeper): EvalSettings {
  return {
    harnessImage: harness.image,
    trainer,
    serverImages: { Transformers: trainer.image, VLLM: serving.vllmImage, SGLang: serving.sglangImage },
    pools,
    currency,
    imagePullPolicy: harness.imagePullPolicy,
    imagePullSecrets: harness.imagePullSecrets,
    artifactsUrl: `https://${artifactsHost}:${endpoints.port}`,
    progressUrl: `https://${progressHost}:${endpoints.port}`,
    endpointHost: artifactsHost,
    endpointPort: endpoints.port,
    operatorNamespace: pod.namespace,
    nameServers: getServers(),
    bucket: store.bucket,
    caBundle: keeper.bundle,
  }
}

function openStore({ store, pod: { namespace } }: Config, runtime: () => Runtime, { world }: Surroundings): ObjectStore {
  const { credentials, ...settings } = store
  const key = credentials.kind === 'Files'
    ? mountedCredentials(credentials.directory, world)
    : embeddedCredentials(ownSecret(() => runtime().unfenced, { namespace, name: credentials.secretName }))
  return createObjectStore(settings, key, world)
}

function keepCertificates(config: Config, runtime: () => Runtime, { world, log }: Surroundings): TlsKeeper {
  return createTlsKeeper({
    world,
    names: [config.artifactsHost, config.progressHost],
    secret: ownSecret(() => runtime().unfenced, { namespace: config.pod.namespace, name: TLS_SECRET }),
    isLeader: () => runtime().isLeading(),
    rotated: (reason) => log.info({ reason, secret: TLS_SECRET }, 'rotated the certificates of the endpoint'),
    failed: (error) => log.warn({ err: error, secret: TLS_SECRET }, 'could not check the certificates of the endpoint'),
  })
}

type Progress = Readonly<{ book: ProgressBook; metrics: EndpointMetrics }>

const OWNERS: Readonly<Record<OwnerKind, Readonly<{ controller: string; type: ResourceType }>>> = {
  TrainingRun: { controller: TRAINING_RUN_CONTROLLER, type: TrainingRunType },
  PreferenceGen: { controller: PREFERENCE_GEN_CONTROLLER, type: PreferenceGenType },
  SWEBenchEval: { controller: SWEBENCH_EVAL_CONTROLLER, type: SWEBenchEvalType },
}

function trackProgress({ world, cache, metrics: registry, enqueue }: Runtime): Progress {
  const metrics = createEndpointMetrics(registry)
  const book = createProgressBook({
    world,
    enqueue: ({ kind, namespace, name }, afterMs) => enqueue(OWNERS[kind].controller, { namespace, name }, { afterMs }),
    exists: ({ kind, namespace, name, uid }) => cache.of<KubeObject>(OWNERS[kind].type).get({ namespace, name })?.metadata.uid === uid,
    advanced: ({ kind }, steps) => kind === 'TrainingRun' && metrics.advanced(steps),
  })
  return { book, metrics }
}

function serveEndpoint(config: Config, runtime: Runtime, parts: Progress & Readonly<{ store: ObjectStore; keeper: TlsKeeper; capabilities: Capabilities }>): Service {
  const { cache, unfenced, world, log, isLeading, enqueue } = runtime
  const [runs, pods] = [cache.of(TrainingRunType), cache.of(PodType)]
  const livePod = (key: ObjectKey): Promise<Pod | undefined> => unfenced.get(PodType, key)
  const gate = createGate({
    owners: {
      trainingruns: { kind: 'TrainingRun', cached: runs, live: (key) => unfenced.get(TrainingRunType, key) },
      preferencegens: { kind: 'PreferenceGen', cached: cache.of(PreferenceGenType), live: (key) => unfenced.get(PreferenceGenType, key) },
      swebenchevals: { kind: 'SWEBenchEval', cached: cache.of(SWEBenchEvalType), live: (key) => unfenced.get(SWEBenchEvalType, key) },
    },
    pods,
    livePod,
    reviews: createTokenReviews(unfenced, world),
  })
  const sandboxGate = createSandboxGate({ evaluations: cache.of(SWEBenchEvalType), pods, livePod, capabilities: parts.capabilities })
  const { host, port } = config.endpoints
  return endpointService({
    ...parts, gate, sandboxGate, host, port, log, isLeader: isLeading,
    // The ConfigMaps of all kinds carry what their pods trust.
    rotated: () => {
      runs.list().forEach(({ metadata }) => enqueue(TRAINING_RUN_CONTROLLER, metadata))
      cache.of(PreferenceGenType).list().forEach(({ metadata }) => enqueue(PREFERENCE_GEN_CONTROLLER, metadata))
      cache.of(SWEBenchEvalType).list().forEach(({ metadata }) => enqueue(SWEBENCH_EVAL_CONTROLLER, metadata))
    },
  })
}

function kindsIn([namespace]: readonly string[]): readonly CachedKind[] {
  const kinds = [...trainingRunKinds, ...preferenceGenKinds, ...sweBenchEvalKinds, ...serverKinds]
  return namespace === undefined ? kinds : kinds.map((kind) => ({ ...kind, namespace }))
}

function once<T>(make: () => T): () => T {
  let made: Readonly<{ value: T }> | undefined
  return () => (made ??= { value: make() }).value
}
