import { resourceType, type KubeObject, type ObjectRef } from '../api/object.ts'
import { defineController, type Controller, type ControllerDefinition } from '../control/controller.ts'
import type { Plan, Write } from '../control/plan.ts'
import { ownedBy } from '../meta/owner.ts'

/** A kind for tests: a Fleet wants `size` ships, one Job each, and tells how many there are. */
export type Fleet = KubeObject & Readonly<{ spec: Readonly<{ size: number }>; status?: Readonly<{ ships: number }> }>
export type Ship = KubeObject

export const FleetType = resourceType<Fleet>({ apiVersion: 'example.dev/v1', kind: 'Fleet', plural: 'fleets', scope: 'Namespaced' })
export const ShipType = resourceType<Ship>({ apiVersion: 'example.dev/v1', kind: 'Ship', plural: 'ships', scope: 'Namespaced' })
export const HarbourType = resourceType({ apiVersion: 'example.dev/v1', kind: 'Harbour', plural: 'harbours', scope: 'Namespaced' })

export function aFleet(size: number, metadata: Partial<KubeObject['metadata']> = {}): Fleet {
  return { apiVersion: 'example.dev/v1', kind: 'Fleet', metadata: { namespace: 'a', name: 'fleet', ...metadata }, spec: { size } }
}

export function aShip(fleet: Fleet, number: number): Ship {
  const metadata = { namespace: 'a', name: `${fleet.metadata.name}-${number}`, ownerReferences: [ownedBy(fleet)] }
  return { apiVersion: 'example.dev/v1', kind: 'Ship', metadata }
}

export function shipRef(name: string): ObjectRef {
  return { apiVersion: 'example.dev/v1', kind: 'Ship', namespace: 'a', name }
}

type Seen = Readonly<{ fleet: Fleet; ships: readonly Ship[] }>

/** Builds what is missing and sinks what is too much, by name: the plan of a well-behaved controller. */
export function planFleet({ fleet, ships }: Seen): Plan {
  const wanted = Array.from({ length: fleet.spec.size }, (_, number) => aShip(fleet, number))
  const names = new Set(wanted.map(({ metadata }) => metadata.name))
  const surplus = ships.filter(({ metadata }) => !names.has(metadata.name))
  const writes: Write[] = [
    ...wanted.filter(({ metadata }) => !ships.some((ship) => ship.metadata.name === metadata.name)).map((object) => ({ op: 'create' as const, object })),
    ...surplus.map(({ metadata }) => ({ op: 'remove' as const, ref: shipRef(metadata.name) })),
  ]
  const event = { type: 'Normal', reason: 'Counted', action: 'CountShips', note: `${ships.length} ships` } as const
  return { writes, status: { ships: ships.length }, events: [event] }
}

export function fleetController(changes: Partial<ControllerDefinition<Fleet, Seen>> = {}): Controller {
  return defineController<Fleet, Seen>({
    name: 'fleet',
    type: FleetType,
    parse: (raw) => ({ ...raw, ...sizeOf(raw) }),
    owns: [ShipType],
    observe: async (fleet, { cache }) => ({ fleet, ships: cache.of(ShipType).by('owner', fleet.metadata.uid ?? '') }),
    plan: planFleet,
    permissions: [],
    ...changes,
  })
}

function sizeOf(raw: KubeObject & { spec?: unknown }): Pick<Fleet, 'spec'> {
  const size: unknown = Reflect.get(Object(raw.spec), 'size')
  if (typeof size !== 'number') throw new TypeError('spec.size must be a number')
  return { spec: { size } }
}
