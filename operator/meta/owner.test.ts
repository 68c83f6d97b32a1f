import { describe, expect, it } from 'vitest'
import { resourceType, type KubeObject } from '../api/object.ts'
import { controllerKeyOf, controllerOf, ownedBy } from './owner.ts'

const Parent = resourceType({ apiVersion: 'example.dev/v1', kind: 'Parent', plural: 'parents', scope: 'Namespaced' })
const parent: KubeObject = { apiVersion: 'example.dev/v1', kind: 'Parent', metadata: { namespace: 'a', name: 'p', uid: 'u1' } }

function childOf(owner: KubeObject): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'a', name: 'c', ownerReferences: [ownedBy(owner)] } }
}

describe('ownership', () => {
  it('is by uid, controls, and blocks a foreground deletion', () => {
    expect(ownedBy(parent)).toEqual({
      apiVersion: 'example.dev/v1', kind: 'Parent', name: 'p', uid: 'u1', controller: true, blockOwnerDeletion: true,
    })
  })

  it('cannot be claimed for an object that was never created', () => {
    expect(() => ownedBy({ ...parent, metadata: { name: 'p' } })).toThrow('has no uid yet')
  })

  it('leads from a child to the key of its controller', () => {
    expect(controllerKeyOf(childOf(parent), Parent)).toEqual({ namespace: 'a', name: 'p' })
  })

  it('does not mistake an owner of another kind or group for ours', () => {
    expect(controllerKeyOf(childOf({ ...parent, apiVersion: 'other.dev/v1' }), Parent)).toBeUndefined()
  })

  it('ignores owners that do not control', () => {
    const child = { ...childOf(parent), metadata: { name: 'c', ownerReferences: [{ ...ownedBy(parent), controller: false }] } }
    expect(controllerOf(child)).toBeUndefined()
  })
})
