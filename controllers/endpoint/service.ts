import type { Service } from '../../operator/runtime.ts'
import type { TlsKeeper } from '../tls/keeper.ts'
import type { Capabilities } from './capabilities.ts'
import { createEndpoint, type Endpoint, type EndpointDeps } from './server.ts'

export type EndpointServiceOptions = EndpointDeps & Readonly<{
  keeper: TlsKeeper
  capabilities: Pick<Capabilities, 'load'>
  host: string
  port: number
  /** The certificates changed; clients may have to be told of a new authority. */
  rotated(): void
}>

/** The HTTPS endpoint with certificates that are kept current while it runs. */
export function endpointService({ keeper, capabilities, host, port, rotated, ...deps }: EndpointServiceOptions): Service {
  const stop = new AbortController()
  let endpoint: Endpoint | undefined
  let watching: Promise<void> = Promise.resolve()
  return {
    name: 'endpoint',
    runs: 'Always',
    start: async () => {
      await Promise.all([keeper.load(stop.signal), capabilities.load()])
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
