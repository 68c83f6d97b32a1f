import { describe, expect, it } from 'vitest'
import { FleetType, fleetController, HarbourType, ShipType } from '../testing/fleet.ts'
import { kindsToCache } from './kinds.ts'

const watching = (labelSelector?: string) =>
  fleetController({ watches: [{ type: HarbourType, keys: () => [], ...(labelSelector === undefined ? {} : { labelSelector }) }] })

describe('the kinds to cache', () => {
  it('are those of all controllers, once each', () => {
    expect(kindsToCache([], [fleetController(), fleetController()])).toEqual([{ type: FleetType }, { type: ShipType }])
  })

  it('are cached as declared, whoever else wants them', () => {
    const declared = { type: ShipType, labelSelector: 'managed-by=tests' }
    expect(kindsToCache([declared], [fleetController()])).toEqual([declared, { type: FleetType }])
  })

  it('take the selector of the watch that alone wants them', () => {
    expect(kindsToCache([], [watching('x=y')])).toContainEqual({ type: HarbourType, labelSelector: 'x=y' })
  })

  it('cannot be selected in two ways', () => {
    expect(() => kindsToCache([], [watching('x=y'), watching()])).toThrow('two watches select Harbour.v1.example.dev differently')
  })
})
