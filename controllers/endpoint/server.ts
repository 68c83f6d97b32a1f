import { fastify, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { Server } from 'node:https'
import { z } from 'zod'

import type { Log } from '../../operator/observe/log.ts'
import { ATTEMPT, ROLE } from '../shared/labels.ts'
import type { ObjectStore } from '../store/store.ts'
import type { TlsMaterial } from '../tls/rotation.ts'
import { objects, presign } from './artifacts.ts'
import type { Admitted, Gate } from './gate.ts'
import type { EndpointMetrics } from './metrics.ts'
import type { ProgressBook } from './progress-book.ts'
import { Refusal } from './refusal.ts'
import { readReport } from './report.ts'

const BODY_BYTES = 64 * 1024 // the limit of the Kubeflow protocol
const PRESIGN_BODY_BYTES = 1_200_000 // 1,000 keys of 1,024 bytes, and their quotes
const REQUEST_MS = 10_000 // to send the whole request; a slow client must not hold a socket
const IDLE_MS = 75_000 // longer than a trainer's pause between two reports, so that a client may keep its connection

const RUN = '/v1alpha1/namespaces/:namespace/trainingruns/:name'
const ADMITTED = 'admitted'

export type EndpointDeps = Readonly<{
  gate: Gate
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
  const admit = async (request: FastifyRequest): Promise<void> => {
    const { data: named } = runParams.safeParse(request.params)
    if (named === undefined) throw new Refusal('RunNotFound', 'The path names no TrainingRun.')
    const { namespace, name } = named
    request.setDecorator<Admitted>(ADMITTED, await deps.gate({ namespace, name, authorization: request.headers.authorization }))
  }
  const admitted = (request: FastifyRequest): Admitted => request.getDecorator<Admitted>(ADMITTED)
  const onlyLeader = async (): Promise<void> => {
    if (!deps.isLeader()) throw new Refusal('NotLeading', 'This replica stands by; the progress Service leads to the leader.')
  }

  // Admission comes before the body: a stranger makes us parse nothing.
  app.post(`${RUN}/presign`, { onRequest: admit, bodyLimit: PRESIGN_BODY_BYTES }, (request) => presign(deps.store, admitted(request), request.body))
  app.get(`${RUN}/objects`, { onRequest: admit }, (request) => objects(deps.store, admitted(request).run, request.query))
  app.post(`${RUN}/attempts/:attempt/status`, { onRequest: [onlyLeader, admit] }, (request) => {
    report(deps, admitted(request), request)
    return request.body
  })
}

const dnsName = z.string().regex(/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/)
const runParams = z.object({ namespace: dnsName, name: dnsName })
const attemptParams = z.object({ attempt: z.string().regex(/^[1-9]\d{0,5}$/) })

function report({ book, metrics }: EndpointDeps, { run, pod }: Admitted, request: FastifyRequest): void {
  const { attempt } = attemptParams.safeParse(request.params).data ?? {}
  const { [ROLE]: role, [ATTEMPT]: own } = pod.metadata.labels ?? {}
  if (attempt === undefined || role !== 'train' || own !== attempt) {
    throw new Refusal('PodNotAllowed', `Pod ${pod.metadata.name} may not report for this attempt.`)
  }
  const read = readReport(request.body)
  if ('problem' in read) throw new Refusal('InvalidRequest', read.problem)
  metrics.reported(read.report ? 'Recorded' : 'Empty')
  const { namespace = '', name, uid = '' } = run.metadata
  if (read.report) book.record({ namespace, name, uid }, Number(attempt), read.report)
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
