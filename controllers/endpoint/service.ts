import type { Service } from '../../operator/manager.ts'
import type { TlsKeeper } from '../tls/keeper.ts'
import { createEndpoint, type Endpoint, type EndpointDeps } from './server.ts'

export type EndpointServiceOptions = EndpointDeps & Readonly<{
  keeper: TlsKeeper
  host: string
  port: number
  /** The certificates changed; clients may have to be told of a new authority. */
  rotated(): void
}>

/** The HTTPS endpoint with certificates that are kept current while it runs. */
export function endpointService({ keeper, host, port, rotated, ...deps }: EndpointServiceOptions): Service {
  const stop = new AbortController()
  let endpoint: Endpoint | undefined
  let watching: Promise<void> = Promise.resolve()
  return {
    name: 'endpoint',
    runs: 'Always',
    start: async () => {
      await keeper.load(stop.signal)
      const opened = createEndpoint(deps, keeper.material())
      endpoint = opened
      deps.log.info({ host, port: await opened.listen(port, host) }, 'endpoint listens')
      watching = keeper.watch((material) => {
        opened.serve(material)
        rotated()
      }, stop.signal)
    },
    stop: async () => {
      stop.abort()
      await Promise.all([endpoint?.close(), watching])
    },
  }
}
