// Which pool a queued pod got: Kueue chooses the node, its labels tell.
import { isForbidden } from '../../../operator/api/errors.ts'
import { resourceType, type KubeObject } from '../../../operator/api/object.ts'
import type { Client } from '../../../operator/api/resource.ts'
import type { World } from '../../../operator/world.ts'
import { createMemory } from './memory.ts'

export type NodeLabels = Readonly<Record<string, string>>

/** Reads the labels of a node; undefined where it is gone or may not be read. Rejects as the client does. */
export type NodeReader = Readonly<{ labelsOf(name: string): Promise<NodeLabels | undefined> }>

const NodeType = resourceType<KubeObject>({ apiVersion: 'v1', kind: 'Node', plural: 'nodes', scope: 'Cluster' })
const REMEMBERED_MS = 300_000 // what a node is does not change; one that may not be read is not asked for on every pass

export function createNodeReader(client: Pick<Client, 'get'>, world: Pick<World, 'monotonicMs'>): NodeReader {
  const remember = createMemory<NodeLabels | undefined>(world, REMEMBERED_MS)
  return { labelsOf: (name) => remember(name, () => read(client, name)) }
}

async function read(client: Pick<Client, 'get'>, name: string): Promise<NodeLabels | undefined> {
  try {
    const node = await client.get(NodeType, { name })
    return node && (node.metadata.labels ?? {})
  } catch (error) {
    if (isForbidden(error)) return undefined
    throw error
  }
}
