// The example kinds of the runtime's tests, on a real API server.
import { resourceType, type KubeObject } from '../../operator/api/object.ts'
import { connect, type Connection } from '../../operator/api/kubeconfig.ts'
import { createClient, type Client } from '../../operator/api/resource.ts'
import { createTransport, type Transport } from '../../operator/api/transport.ts'
import { FleetType, ShipType } from '../../operator/testing/fleet.ts'
import { realWorld } from '../../operator/world.ts'
import { waitUntil } from '../cluster/exec.ts'
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts'

const NamespaceType = resourceType({ apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', scope: 'Cluster' })
const DefinitionType = resourceType({
  apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', plural: 'customresourcedefinitions', scope: 'Cluster',
})

export type FleetWorld = Readonly<{ plane: ControlPlane; connection: Connection; transport: Transport; client: Client; stop(): Promise<void> }>

/** A control plane that serves Fleets and Ships, with the namespace `a`. */
export async function startFleetWorld(name: string): Promise<FleetWorld> {
  const plane = await startControlPlane({ name })
  const connection = await connect({ world: realWorld, env: {}, kubeconfig: plane.kubeconfigPath })
  const transport = createTransport({ connection, world: realWorld })
  const client = createClient(transport, { world: realWorld })
  await client.create(NamespaceType, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } })
  for (const type of [FleetType, ShipType]) await client.create(DefinitionType, definitionOf(type))
  for (const type of [FleetType, ShipType]) {
    await waitUntil(`${type.plural} are served`, 60_000, () => client.list(type).then(() => true, () => false))
  }
  const stop = async (): Promise<void> => {
    await transport.close()
    await plane.stop()
  }
  return { plane, connection, transport, client, stop }
}

function definitionOf({ apiVersion, kind, plural }: typeof FleetType | typeof ShipType): KubeObject & { spec: unknown } {
  const [group, version] = apiVersion.split('/')
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: anything, status: anything } } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { kind, plural, singular: kind.toLowerCase() },
      scope: 'Namespaced',
      versions: [{ name: version, served: true, storage: true, schema, subresources: { status: {} } }],
    },
  }
}
