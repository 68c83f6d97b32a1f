/** An endpoint on loopback before a pretended cluster, for tests: what the cluster holds is set by hand. */
import { createHash } from 'node:crypto'
import { Registry } from 'prom-client'
import { Agent, request } from 'undici'
import { z } from 'zod'

import type { SWEBenchEval } from '../../crds/swebench-eval.ts'
import type { TrainingRun } from '../../crds/training-run.ts'
import { keyOf, type ObjectKey } from '../../operator/api/object.ts'
import type { Log } from '../../operator/observe/log.ts'
import { createFakeWorld, type FakeWorld } from '../../operator/testing/fake-world.ts'
import { createGate } from '../endpoint/gate.ts'
import { createEndpointMetrics } from '../endpoint/metrics.ts'
import { createProgressBook, type ProgressBook } from '../endpoint/progress-book.ts'
import { createEndpoint, type Endpoint } from '../endpoint/server.ts'
import { createSandboxGate } from '../endpoint/sandbox-gate.ts'
import type { Sandbox } from '../swebench-eval/sandbox.ts'
import { createTokenReviews } from '../endpoint/token-reviews.ts'
import type { Pod } from '../shared/kinds.ts'
import { ATTEMPT, ROLE, UID } from '../shared/labels.ts'
import { createObjectStore } from '../store/store.ts'
import { audienceOf } from '../jobs/identity.ts'
import { issueMaterial } from '../tls/rotation.ts'
import { startFakeS3, type FakeS3 } from './fake-s3.ts'

export type Answer = Readonly<{ status: number; body: unknown }>
export type Ask = Readonly<{ method?: 'GET' | 'POST' | 'PUT'; body?: unknown; token?: string; headers?: Readonly<Record<string, string>> }>
export type TokenClaims = Readonly<{ audience: string; username: string; pod?: Readonly<{ name: string; uid: string }> }>

export type EndpointStage = Readonly<{
  world: FakeWorld
  s3: FakeS3
  book: ProgressBook
  endpoint: Endpoint
  registry: Registry
  /** What may change during a scenario. */
  state: { leading: boolean; synced: boolean; apiServer: 'Up' | 'Down' | 'IgnoresAudiences' }
  /** Names of runs; pods by `namespace/name`. */
  runs: Map<string, TrainingRun>
  evaluations: Map<string, SWEBenchEval>
  /** What the API server has beyond what the cache shows. */
  liveRuns: Map<string, TrainingRun>
  cachedPods: Map<string, Pod>
  livePods: Map<string, Pod>
  /** Tokens that the API server was asked about. */
  reviewed: string[]
  /** Objects that it was asked for, as `namespace/name`. */
  asked: string[]
  logged: string[]
  port: number
  ask(path: string, init?: Ask): Promise<Answer>
  close(): Promise<void>
}>

/** Opens the endpoint with an empty cluster behind it. */
export async function openEndpointStage(): Promise<EndpointStage> {
  const [world, registry, s3] = [createFakeWorld(), new Registry(), await startFakeS3('swe')]
  const state: EndpointStage['state'] = { leading: true, synced: true, apiServer: 'Up' }
  const [runs, liveRuns] = [new Map<string, TrainingRun>(), new Map<string, TrainingRun>()]
  const evaluations = new Map<string, SWEBenchEval>()
  const [cachedPods, livePods] = [new Map<string, Pod>(), new Map<string, Pod>()]
  const [reviewed, asked, logged]: [string[], string[], string[]] = [[], [], []]
  const metrics = createEndpointMetrics(registry)
  const reader = <T>(objects: Map<string, T>) => ({ get: (key: ObjectKey) => objects.get(keyOf(key)), synced: () => state.synced })
  const live = <T>(objects: Map<string, T>) => async (key: ObjectKey): Promise<T | undefined> => {
    if (state.apiServer === 'Down') throw new Error('connection refused')
    asked.push(keyOf(key))
    return objects.get(keyOf(key))
  }
  const reviews = createTokenReviews({ post: async (_, body) => reviewToken(state, reviewed, body) }, world)
  const book = createProgressBook({ world, enqueue: () => undefined, exists: () => true, advanced: (_, steps) => metrics.advanced(steps) })
  const settings = { endpoint: s3.endpoint, region: 'us-east-1', bucket: 'swe', pathStyle: true }
  const store = createObjectStore(settings, async () => ({ accessKeyId: 'key', secretAccessKey: 'secret' }), world)
  const gate = createGate({ owners: { trainingruns: { kind: 'TrainingRun', cached: reader(runs), live: live(liveRuns) }, swebenchevals: { kind: 'SWEBenchEval', cached: reader(evaluations), live: live(evaluations) } }, pods: reader(cachedPods), livePod: live(livePods), reviews })
  const capabilities = { isOf: (sandbox: Sandbox, offered: string) => offered === capabilityFor(sandbox) }
  const sandboxGate = createSandboxGate({ evaluations: reader(evaluations), pods: reader(cachedPods), livePod: live(livePods), capabilities })
  const material = issueMaterial(['localhost'], new Date())
  const endpoint = createEndpoint({ gate, sandboxGate, store, book, isLeader: () => state.leading, log: logInto(logged), metrics }, material)
  const port = await endpoint.listen(0, '127.0.0.1')
  const agent = new Agent({ connections: 1, connect: { ca: material.bundle } })
  return {
    world, s3, book, endpoint, registry, state, runs, evaluations, liveRuns, cachedPods, livePods, reviewed, asked, logged, port,
    ask: (path, init) => ask(agent, `https://localhost:${port}${path}`, init),
    close: async () => {
      await agent.destroy() // its idle connections would hold the endpoint back
      await Promise.all([endpoint.close(), store.close(), s3.close()])
    },
  }
}

/** Run team-a/tiny with its training pod of attempt 1, and that pod's token. */
export async function openStageWithRun(): Promise<Readonly<{ stage: EndpointStage; run: TrainingRun; pod: Pod; token: string }>> {
  const stage = await openEndpointStage()
  const run = aRun('team-a', 'tiny', 'u1')
  const pod = aPodOf(run, 'tiny-a1-x', 1)
  stage.runs.set('team-a/tiny', run)
  stage.cachedPods.set('team-a/tiny-a1-x', pod)
  return { stage, run, pod, token: tokenOf(run, pod) }
}

/** What a sandbox of this stage shows. */
export function capabilityFor(sandbox: Sandbox): string {
  return createHash('sha256').update(JSON.stringify(sandbox)).digest('hex')
}

export function aRun(namespace: string, name: string, uid: string): TrainingRun {
  const spec = { method: 'SFT', engine: 'TRL', model: { s3: { uri: 's3://swe/m' } }, data: {}, lora: {}, duration: { maxSteps: 4 } } as const
  return { apiVersion: 'swe-operator.dev/v1alpha1', kind: 'TrainingRun', metadata: { namespace, name, uid }, spec }
}

export function aPodOf(run: TrainingRun, name: string, attempt: number): Pod {
  const labels = { [UID]: run.metadata.uid ?? '', [ROLE]: 'train', [ATTEMPT]: String(attempt) }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: run.metadata.namespace ?? '', name, uid: `uid-of-${name}`, labels }, status: { phase: 'Running' } }
}

/** The token that the kubelet projects into a pod of a run. */
export function tokenOf(run: TrainingRun, holder: Pod, namespace = 'team-a'): string {
  const pod = { name: holder.metadata.name, uid: holder.metadata.uid ?? '' }
  return tokenWith({ audience: audienceOf(run), username: `system:serviceaccount:${namespace}:default`, pod })
}

/** A token as this cluster's API server understands it. */
export function tokenWith(claims: TokenClaims): string {
  return `e30.${Buffer.from(JSON.stringify({ aud: [claims.audience], ...claims })).toString('base64url')}.c2ln`
}

const reviewSchema = z.object({ spec: z.object({ token: z.string(), audiences: z.array(z.string()) }) })
const claimsSchema = z.object({ audience: z.string(), username: z.string(), pod: z.object({ name: z.string(), uid: z.string() }).optional() })

function reviewToken(state: EndpointStage['state'], reviewed: string[], body: unknown): unknown {
  if (state.apiServer === 'Down') throw new Error('connection refused')
  const { spec } = reviewSchema.parse(body)
  reviewed.push(spec.token)
  const claims = claimsSchema.safeParse(decoded(spec.token)).data
  if (state.apiServer === 'IgnoresAudiences') return { status: { authenticated: true, user: { username: claims?.username } } }
  if (!claims || !spec.audiences.includes(claims.audience)) return { status: { error: 'invalid token' } }
  const prefix = 'authentication.kubernetes.io/pod'
  const extra = claims.pod && { [`${prefix}-name`]: [claims.pod.name], [`${prefix}-uid`]: [claims.pod.uid] }
  return { status: { authenticated: true, audiences: [claims.audience], user: { username: claims.username, ...(extra ? { extra } : {}) } } }
}

function decoded(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
  } catch {
    return undefined // not one of ours
  }
}

async function ask(agent: Agent, url: string, { method = 'GET', body, token, headers = {} }: Ask = {}): Promise<Answer> {
  const answer = await request(url, {
    dispatcher: agent, method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: answer.statusCode, body: await answer.body.json() }
}

function logInto(lines: string[]): Log {
  const line = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields, withErrors)}`)
  return { debug: line, info: line, warn: line, error: line, child: () => logInto(lines) }
}

function withErrors(_: string, value: unknown): unknown {
  return value instanceof Error ? `${value.message} ${value.stack} ${String(value.cause)}` : value
}
