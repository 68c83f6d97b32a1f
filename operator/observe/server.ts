import fastify, { type FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'

/** One question about this process; a string says what is wrong. */
export type Check = Readonly<{ name: string; complaint: () => string | undefined }>

export type HealthServerOptions = Readonly<{
  host: string
  /** 0 takes a free one. */
  port: number
  registry: Registry
  /** Failing: the process should be restarted. That an answer comes at all shows that the event loop turns. */
  health: readonly Check[]
  /** Failing: the process should get no traffic yet. */
  readiness: readonly Check[]
}>

export type HealthServer = Readonly<{ start(): Promise<void>; stop(): Promise<void>; port(): number }>

/** `/healthz`, `/readyz` and `/metrics` over plain HTTP. */
export function createHealthServer({ host, port, registry, health, readiness }: HealthServerOptions): HealthServer {
  const server = fastify({ logger: false, forceCloseConnections: true })
  serveChecks(server, '/healthz', health)
  serveChecks(server, '/readyz', readiness)
  server.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()))
  return {
    start: async () => void (await server.listen({ host, port })),
    stop: () => server.close(),
    port: () => portOf(server) ?? port,
  }
}

/** 200 `ok`, or 503 with one line for each complaint. */
function serveChecks(server: FastifyInstance, path: string, checks: readonly Check[]): void {
  server.get(path, async (_request, reply) => {
    const complaints = checks.flatMap(({ name, complaint }) => {
      const text = complaint()
      return text === undefined ? [] : [`${name}: ${text}`]
    })
    const [code, text] = complaints.length === 0 ? [200, 'ok'] : [503, complaints.join('\n')]
    return reply.code(code).type('text/plain').send(`${text}\n`)
  })
}

function portOf({ server }: FastifyInstance): number | undefined {
  const address = server.address()
  return typeof address === 'object' ? address?.port : undefined
}
