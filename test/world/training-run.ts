// A TrainingRun and what becomes of it, built with the words of the domain.
import type { TrainingRun, TrainingRunAttempt, TrainingRunSpec, TrainingRunStatus } from '../../crds/training-run.ts'
import { setConditions } from '../../operator/meta/conditions.ts'
import { toSeconds } from '../../operator/meta/time.ts'
import type { Attempt, Preparation, Publication } from '../../controllers/training-run/children.ts'
import type { Observed } from '../../controllers/training-run/observed.ts'
import type { Pool } from '../../controllers/pools/pool.ts'
import { resolve } from '../../controllers/training-run/resolve.ts'
import { buildAttemptJob } from '../../controllers/training-run/resources/attempt-job.ts'
import { buildInputs } from '../../controllers/training-run/resources/config-map.ts'
import { buildPrepareJob } from '../../controllers/training-run/resources/prepare-job.ts'
import { buildPublishJob } from '../../controllers/training-run/resources/publish-job.ts'
import type { Settings } from '../../controllers/training-run/settings.ts'
import type { PrepareVerdict, PublishVerdict, TrainVerdict } from '../../controllers/training-run/verdicts.ts'
import type { DesiredJob, Job, Pod } from '../../controllers/shared/kinds.ts'

export const NOON = new Date('2026-01-01T12:00:00Z')
export function afterNoon(seconds: number): Date {
  return new Date(NOON.getTime() + seconds * 1000)
}

export const CA = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'

export const settings: Settings = {
  trainerImage: 'ghcr.io/swe-operator/trainer:0.1.0',
  gpuTrainerImage: 'ghcr.io/swe-operator/trainer-gpu:0.1.0',
  imagePullPolicy: 'IfNotPresent',
  artifactsUrl: 'https://swe-operator-artifacts.swe-operator-system.svc:8443',
  progressUrl: 'https://swe-operator-progress.swe-operator-system.svc:8443',
  bucket: 'swe-operator',
  pools: [],
  currency: 'USD',
  caBundle: () => CA,
}

/** 0.001 a second with one GPU. */
export const a100: Pool = {
  name: 'a100',
  gpu: { resource: 'nvidia.com/gpu', product: 'NVIDIA A100 80 GB', memoryGi: 80, perNode: 8 },
  nodeSelectorTerms: [],
  nodeSelector: {},
  tolerations: [],
  env: {},
  pricePerGPUHour: '3.24',
  pricePerPodHour: '0.36',
}

/** The smallest run a person would write. */
export function aTrainingRun(spec: Partial<TrainingRunSpec> = {}): TrainingRun {
  return {
    apiVersion: 'swe-operator.dev/v1alpha1',
    kind: 'TrainingRun',
    metadata: { namespace: 'team', name: 'sft', uid: 'run-uid', generation: 1, creationTimestamp: toSeconds(NOON) },
    spec: {
      method: 'SFT',
      engine: 'TRL',
      model: { s3: { uri: 's3://swe-operator/team/models/tiny' } },
      data: { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWEBench' } },
      lora: {},
      duration: { maxSteps: 60 },
      ...spec,
    },
  }
}

export function aPrepareVerdict(): PrepareVerdict {
  const summary = { rows: 10, train: 7, test: 3, badRows: 0, tokens: { p50: 300, p90: 900, max: 1800 }, truncatedPercent: '0' }
  return { kind: 'Prepare', exitCode: 0, reason: 'Completed', message: 'The data is ready.', summary }
}

export function completed(attempt: number, fromStep = 0): TrainVerdict {
  const key = `result/a${attempt}/adapter/adapter_model.safetensors`
  const artifact = { name: 'adapter/adapter_model.safetensors', key, sha256: 'a'.repeat(64), sizeBytes: 4096 }
  const loss = { first: '2.31', last: '1.02' }
  return { ...aVerdict(attempt, 0, 'Completed'), fromStep, lastStep: 60, totalSteps: 60, loss, artifacts: [artifact] }
}

export function preempted(attempt: number, steps: Readonly<{ from: number; to: number }>): TrainVerdict {
  const { from, to } = steps
  return { ...aVerdict(attempt, 75, 'Preempted'), fromStep: from, lastStep: to, checkpointStep: to, totalSteps: 60 }
}

export function failed(attempt: number, exitCode: number, reason: string): TrainVerdict {
  return { ...aVerdict(attempt, exitCode, reason), logTail: ['Traceback (most recent call last):', 'RuntimeError: it broke'] }
}

export function published(): PublishVerdict {
  return { kind: 'Publish', exitCode: 0, reason: 'Completed', message: 'It is published.', url: 'https://huggingface.co/team/tuned', revision: 'c'.repeat(40) }
}

export function unpublished(exitCode: number, reason: string): PublishVerdict {
  return { kind: 'Publish', exitCode, reason, message: 'The hub says no.' }
}

function aVerdict(attempt: number, exitCode: number, reason: string): TrainVerdict {
  return { kind: 'Train', exitCode, reason, message: `The program says ${reason}.`, attempt, fromStep: 0, lastStep: 0 }
}

export function aRecord(number: number, state: TrainingRunAttempt['state'], more: Partial<TrainingRunAttempt> = {}): TrainingRunAttempt {
  const reason = { Running: undefined, Completed: 'Completed', Preempted: 'Preempted', Failed: 'EngineFailed', Suspended: 'Preempted' }[state]
  const end = state === 'Running' ? {} : { finishedTime: toSeconds(NOON), reason, message: `It was ${state}.` }
  return { number, job: `sft-a${number}`, startedTime: toSeconds(NOON), state, ...end, ...more }
}

type Fields = Partial<Observed> & Readonly<{ status?: TrainingRunStatus }>

/** What the controller saw; each word returns a new observation, and the object is an Observed itself. */
export type Observation = Observed & Readonly<{
  with(fields: Partial<Observed>): Observation
  suspended(): Observation
  withData(): Observation
  preparing(pod: PodState): Observation
  publishing(pod: PodState): Observation
  /** An attempt with its Job and pod. */
  attempt(number: number, pod: PodState, record?: TrainingRunAttempt): Observation
  /** Attempts of which only the status tells. */
  recorded(...records: TrainingRunAttempt[]): Observation
  inState(state: string, more?: TrainingRunStatus): Observation
  later(seconds: number): Observation
}>

/** How a pod looks; `Ended` with a verdict of its program, or evidence of its end. */
export type PodState =
  | Readonly<{ kind: 'None' }>
  | Readonly<{ kind: 'Waiting'; reason: string; message: string }>
  | Readonly<{ kind: 'Running'; deleting?: true; budgetSeconds?: number }>
  | Readonly<{ kind: 'Ended'; verdict?: PrepareVerdict | TrainVerdict | PublishVerdict; status?: Pod['status']; jobIsLive?: true; deleted?: true; afterSeconds?: number }>

export function anObservation(spec: Partial<TrainingRunSpec> = {}, installation: Settings = settings): Observation {
  const run = aTrainingRun(spec)
  const resolved = resolve(run, installation)
  return observation({
    run, now: NOON, settings: installation, resolved, caBundle: CA, inputs: buildInputs(run, resolved, CA), preparations: [], attempts: [], publications: [], leftovers: [], strays: [], consulted: true,
  })
}

/** One that pays for its node. */
export function aPricedObservation(spec: Partial<TrainingRunSpec> = {}): Observation {
  return anObservation({ compute: { pool: a100.name }, ...spec }, { ...settings, pools: [a100] })
}

function observation(seen: Observed): Observation {
  const change = (fields: Fields): Observation => {
    const { status, ...rest } = fields
    const run = rest.run ?? seen.run
    return observation({ ...seen, ...rest, run: status === undefined ? run : { ...run, status: { ...run.status, ...status } } })
  }
  const records = seen.run.status?.attempts ?? []
  return {
    ...seen,
    with: change,
    suspended: () => change({ run: { ...seen.run, metadata: { ...seen.run.metadata, generation: 2 }, spec: { ...seen.run.spec, suspend: true } } }),
    withData: () => change({ prepared: aPrepareVerdict() }),
    preparing: (pod) => change({ preparations: [...seen.preparations, preparationOf(seen, pod)] }),
    publishing: (pod) => change({ publications: [...seen.publications, publicationOf(seen, pod)] }),
    attempt: (number, pod, record) => change({
      attempts: [...seen.attempts, attemptOf(seen, number, pod, record)],
      ...(record === undefined ? {} : { status: { attempts: [...records, record] } }),
    }),
    recorded: (...more) => change({
      attempts: [...seen.attempts, ...more.map((record): Attempt => ({ number: record.number, pods: [], record }))],
      status: { attempts: [...records, ...more] },
    }),
    inState: (state, more = {}) => change({ status: { state, conditions: conditions(state), ...more } }),
    later: (seconds) => change({ now: new Date(seen.now.getTime() + seconds * 1000) }),
  }
}

function conditions(state: string): NonNullable<TrainingRunStatus['conditions']> {
  const types = { Ready: state === 'Succeeded', Complete: state === 'Succeeded', Failed: state === 'Failed' }
  return setConditions(undefined, Object.entries(types).map(([type, holds]) => (
    { type, status: holds ? 'True' : 'False', reason: state, message: `It is ${state}.`, observedGeneration: 1 }
  )), NOON)
}

function preparationOf(seen: Observed, pod: PodState): Preparation {
  const number = (seen.preparations.at(-1)?.number ?? 0) + 1
  const verdict = pod.kind === 'Ended' && pod.verdict?.kind === 'Prepare' ? { verdict: pod.verdict } : {}
  return { number, ...childrenOf(buildPrepareJob(seen.run, seen.resolved, seen.settings, number), pod), ...verdict }
}

function publicationOf(seen: Observed, pod: PodState): Publication {
  const number = (seen.publications.at(-1)?.number ?? 0) + 1
  const verdict = pod.kind === 'Ended' && pod.verdict?.kind === 'Publish' ? { verdict: pod.verdict } : {}
  return { number, ...childrenOf(buildPublishJob(seen.run, seen.resolved, seen.settings, number), pod), ...verdict }
}

function attemptOf(seen: Observed, number: number, pod: PodState, record: TrainingRunAttempt | undefined): Attempt {
  const verdict = pod.kind === 'Ended' && pod.verdict?.kind === 'Train' ? { verdict: pod.verdict } : {}
  const budget = pod.kind === 'Running' && pod.budgetSeconds !== undefined ? { budgetSeconds: pod.budgetSeconds } : {}
  const plan = { number, microBatch: seen.resolved.perDevice, ...budget }
  const children = childrenOf(buildAttemptJob(seen.run, seen.resolved, seen.settings, plan), pod)
  return { number, ...children, ...verdict, ...(record === undefined ? {} : { record }) }
}

function childrenOf(desired: DesiredJob, state: PodState): Readonly<{ job: Job; pods: readonly Pod[] }> {
  const { apiVersion, kind } = desired
  const metadata = { ...desired.metadata, uid: `${desired.metadata.name}-uid`, creationTimestamp: toSeconds(NOON) }
  const ended = state.kind === 'Ended' && state.jobIsLive === undefined
  const status = ended ? { conditions: [{ type: 'Failed', status: 'True', reason: 'PodFailurePolicy', lastTransitionTime: toSeconds(NOON) }] } : {}
  return { job: { apiVersion, kind, metadata, status }, pods: state.kind === 'None' ? [] : [podOf(desired, state)] }
}

function podOf(job: DesiredJob, state: Exclude<PodState, { kind: 'None' }>): Pod {
  const { namespace = '', name } = job.metadata
  const { labels, finalizers } = job.spec.template.metadata ?? {}
  const isGoing = (state.kind === 'Running' && state.deleting) || (state.kind === 'Ended' && state.deleted)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace, name: `${name}-xyz12`, uid: `${name}-pod-uid`, creationTimestamp: toSeconds(NOON),
      ...(labels === undefined ? {} : { labels }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ...(isGoing ? { deletionTimestamp: toSeconds(NOON) } : {}),
    },
    spec: { nodeName: 'node-1' },
    status: podStatusOf(state),
  }
}

function podStatusOf(state: Exclude<PodState, { kind: 'None' }>): NonNullable<Pod['status']> {
  const name = 'program'
  switch (state.kind) {
    case 'Waiting':
      return { phase: 'Pending', containerStatuses: [{ name, state: { waiting: { reason: state.reason, message: state.message } } }] }
    case 'Running':
      return { phase: 'Running', containerStatuses: [{ name, state: { running: { startedAt: toSeconds(NOON) } } }] }
    case 'Ended':
      return state.status ?? { phase: 'Failed', containerStatuses: [{ name, state: { terminated: terminatedBy(state) } }] }
  }
}

function terminatedBy({ verdict, afterSeconds = 0 }: Extract<PodState, { kind: 'Ended' }>) {
  const said = verdict === undefined ? {} : { message: JSON.stringify(verdict) }
  return { exitCode: verdict?.exitCode ?? 1, reason: 'Error', startedAt: toSeconds(NOON), finishedAt: toSeconds(afterNoon(afterSeconds)), ...said }
}
