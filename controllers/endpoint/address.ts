import type { Client } from '../../operator/api/resource.ts'
import { ServiceType } from '../shared/kinds.ts'

/** As the chart names it. */
export const ARTIFACTS_SERVICE = 'swe-operator-artifacts'

/** The cluster IP of the Service behind a host such as `swe-operator-artifacts.<namespace>.svc`; undefined for any other host, and where the Service has none. */
export async function endpointAddress(client: Pick<Client, 'get'>, namespace: string, host: string): Promise<string | undefined> {
  if (!host.startsWith(`${ARTIFACTS_SERVICE}.${namespace}.svc`)) return undefined
  const address = (await client.get(ServiceType, { namespace, name: ARTIFACTS_SERVICE }))?.spec?.clusterIP
  return address === 'None' ? undefined : address
}
