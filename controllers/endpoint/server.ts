import { fastify, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { Server } from 'node:https'
import type { Readable } from 'node:stream'
import { z } from 'zod'

import type { Log } from '../../operator/observe/log.ts'
import { ATTEMPT, ROLE, type Role } from '../shared/labels.ts'
import type { ObjectStore } from '../store/store.ts'
import type { TlsMaterial } from '../tls/rotation.ts'
import { objects, presign } from './artifacts.ts'
import type { Admitted, Gate } from './gate.ts'
import type { EndpointMetrics } from './metrics.ts'
import type { ProgressBook } from './progress-book.ts'
import { Refusal } from './refusal.ts'
import { readReport } from './report.ts'
import { keepOutput, MAX_OUTPUT_BYTES, sandboxImage, sandboxInput, sandboxVerdict } from './sandbox-files.ts'
import type { AdmittedSandbox, SandboxGate } from './sandbox-gate.ts'

const BODY_BYTES = 64 * 1024 // the limit of the Kubeflow protocol
const PRESIGN_BODY_BYTES = 1_200_000 // 1,000 keys of 1,024 bytes, and their quotes
const REQUEST_MS = 120_000 // to send the whole request, which may be a log of 64 MiB
const HEADERS_MS = 10_000 // to say what it is; a stranger must not hold a socket
const IDLE_MS = 75_000 // longer than a trainer's pause between two reports, so that a client may keep its connection

const API = '/v1alpha1/namespaces/:namespace'
/** By kind, the role of the pods that report how far they are. */
const REPORTERS: Readonly<Record<string, Role>> = { trainingruns: 'train', preferencegens: 'generate', swebenchevals: 'generate' }
const ADMITTED = 'admitted'
const SANDBOX = 'sandbox'

export type EndpointDeps = Readonly<{
  gate: Gate
  sandboxGate: SandboxGate
  store: ObjectStore
  book: Pick<ProgressBook, 'record'>
  isLeader(): boolean
  log: Log
  metrics: EndpointMetrics
}>

export type Endpoint = Readonly<{
  /** Resolves to the port it listens on; 0 takes a free one. */
  listen(port: number, host: string): Promise<number>
  /** New connections get this certificate; present ones keep theirs. */
  serve(material: Pick<TlsMaterial, 'certificate' | 'key'>): void
  close(): Promise<void>
}>

/** The HTTPS endpoint that pods talk to: URLs for the artifact store on every replica, progress on the leader. */
export function createEndpoint(deps: EndpointDeps, material: Pick<TlsMaterial, 'certificate' | 'key'>): Endpoint {
  const context = ({ certificate, key }: Pick<TlsMaterial, 'certificate' | 'key'>) => ({ cert: certificate, key, minVersion: 'TLSv1.2' as const })
  // No request logging: headers carry tokens, answers carry signed URLs.
  const app = fastify({
    https: context(material), logger: false, bodyLimit: BODY_BYTES, requestTimeout: REQUEST_MS, keepAliveTimeout: IDLE_MS,
    forceCloseConnections: 'idle', routerOptions: { maxParamLength: 253 },
  })
  const tls = z.instanceof(Server).parse(app.server)
  tls.headersTimeout = HEADERS_MS
  parseEverythingAsJson(app)
  answerErrors(app, deps)
  addRoutes(app, deps)
  return {
    listen: async (port, host) => {
      await app.listen({ port, host })
      const [address] = app.addresses()
      return typeof address === 'object' ? address.port : port
    },
    serve: (next) => tls.setSecureContext(context(next)),
    close: () => app.close(),
  }
}

function addRoutes(app: FastifyInstance, deps: EndpointDeps): void {
  app.decorateRequest(ADMITTED, null)
  const admitTo = (plural: string) => async (request: FastifyRequest): Promise<void> => {
    const { data: named } = ownerParams.safeParse(request.params)
    if (named === undefined) throw new Refusal('RunNotFound', 'The path names no object.')
    request.setDecorator<Admitted>(ADMITTED, await deps.gate({ plural, ...named, authorization: request.headers.authorization }))
  }
  const admitted = (request: FastifyRequest): Admitted => request.getDecorator<Admitted>(ADMITTED)
  const onlyLeader = async (): Promise<void> => {
    if (!deps.isLeader()) throw new Refusal('NotLeading', 'This replica stands by; the progress Service leads to the leader.')
  }

  // Admission comes before the body: a stranger makes us parse nothing.
  for (const [plural, role] of Object.entries(REPORTERS)) {
    const owner = `${API}/${plural}/:name`
    app.post(`${owner}/presign`, { onRequest: admitTo(plural), bodyLimit: PRESIGN_BODY_BYTES }, (request) => presign(deps.store, admitted(request), request.body))
    app.get(`${owner}/objects`, { onRequest: admitTo(plural) }, (request) => objects(deps.store, admitted(request).owner, request.query))
    app.post(`${owner}/attempts/:attempt/status`, { onRequest: [onlyLeader, admitTo(plural)] }, (request) => {
      report(deps, admitted(request), role, request)
      return request.body
    })
  }
  addSandboxRoutes(app, deps)
}

/** Bodies pass through as they arrive: a log may have 64 MiB. */
function addSandboxRoutes(parent: FastifyInstance, { sandboxGate, store }: EndpointDeps): void {
  void parent.register(async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_, payload, done) => done(null, payload))
    const base = `${API}/swebenchevals/:name/predictions/:ordinal/attempts/:attempt`
    const admit = async (request: FastifyRequest): Promise<AdmittedSandbox> => {
      const { data } = sandboxParams.safeParse(request.params)
      if (data === undefined) throw new Refusal('RouteNotFound', 'The path names no try of a prediction.')
      const { namespace, name, ...unit } = data
      return sandboxGate({ namespace, name, unit, authorization: request.headers.authorization })
    }
    app.decorateRequest(SANDBOX, null)
    const onRequest = async (request: FastifyRequest): Promise<void> => request.setDecorator<AdmittedSandbox>(SANDBOX, await admit(request))
    const admitted = (request: FastifyRequest): AdmittedSandbox => request.getDecorator<AdmittedSandbox>(SANDBOX)
    app.get(`${base}/input`, { onRequest }, async (request, reply) => reply.type('application/json').send(await sandboxInput(store, admitted(request))))
    app.get(`${base}/image`, { onRequest }, (request) => sandboxImage(admitted(request)))
    app.get(`${base}/outputs/verdict.json`, { onRequest }, async (request, reply) => reply.type('application/json').send(await sandboxVerdict(store, admitted(request))))
    app.put<{ Params: { file: string }; Body: Readable }>(`${base}/outputs/:file`, { onRequest, bodyLimit: MAX_OUTPUT_BYTES }, async (request, reply) => {
      const { data: sizeBytes } = lengthSchema.safeParse(request.headers['content-length'])
      if (sizeBytes === undefined) throw new Refusal('InvalidRequest', 'A content-length is required.')
      await keepOutput(store, admitted(request), { file: request.params.file, body: request.body, sizeBytes })
      return reply.code(201).send({})
    })
  })
}

const lengthSchema = z.coerce.number().int().min(0)
const dnsName = z.string().regex(/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/)
const ownerParams = z.object({ namespace: dnsName, name: dnsName })
const ordinal = z.coerce.number().int().min(0).max(1_000_000)
const sandboxParams = z.object({ namespace: dnsName, name: dnsName, ordinal, attempt: ordinal.min(1) })
const attemptParams = z.object({ attempt: z.string().regex(/^[1-9]\d{0,5}$/) })

function report({ book, metrics }: EndpointDeps, { owner, pod }: Admitted, reporter: Role, request: FastifyRequest): void {
  const { attempt } = attemptParams.safeParse(request.params).data ?? {}
  const { [ROLE]: role, [ATTEMPT]: own } = pod.metadata.labels ?? {}
  if (attempt === undefined || role !== reporter || own !== attempt) {
    throw new Refusal('PodNotAllowed', `Pod ${pod.metadata.name} may not report for this attempt.`)
  }
  const read = readReport(request.body)
  if ('problem' in read) throw new Refusal('InvalidRequest', read.problem)
  if (reporter === 'train') metrics.reported(read.report ? 'Recorded' : 'Empty')
  const { namespace = '', name, uid = '' } = owner.metadata
  if (read.report) book.record({ kind: owner.kind, namespace, name, uid }, Number(attempt), read.report)
}

/** Reporters differ in the content type they name; all of them send JSON. */
function parseEverythingAsJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'))
}

function answerErrors(app: FastifyInstance, { log, metrics }: EndpointDeps): void {
  const routeOf = (request: FastifyRequest): string => request.routeOptions.url ?? 'unknown'
  app.setNotFoundHandler((_, reply) => refuse(reply, new Refusal('RouteNotFound', 'There is no such path.')))
  app.setErrorHandler((error: FastifyError | Refusal, request, reply) => {
    const refusal = error instanceof Refusal ? error : translated(error)
    if (refusal.status >= 500) log.warn({ route: routeOf(request), code: refusal.code, err: refusal.cause ?? refusal }, 'endpoint could not answer')
    return refuse(reply, refusal)
  })
  app.addHook('onResponse', async (request, reply) => metrics.answered(routeOf(request), reply.statusCode))
}

function refuse(reply: FastifyReply, { status, code, message }: Refusal): FastifyReply {
  if (status === 503) void reply.header('retry-after', '2')
  return reply.code(status).send({ error: { code, message } })
}

function translated(error: FastifyError): Refusal {
  const { statusCode = 500 } = error
  if (statusCode === 413) return new Refusal('BodyTooLarge', 'The body is too large.', error)
  if (statusCode >= 400 && statusCode < 500) return new Refusal('InvalidRequest', 'The body must be JSON.', error)
  return new Refusal('Internal', 'The operator made a mistake; its log tells more.', error)
}
