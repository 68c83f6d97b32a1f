import { describe, expect, it } from 'vitest'
import * as fc from 'fast-check'
import type { KubeObject } from '../api/object.ts'
import { Store } from './store.ts'

const unexpected = (error: unknown): never => {
  throw error
}

function anObject(name: string, more: Partial<KubeObject['metadata']> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion: '1', ...more } }
}

describe('a store', () => {
  it('finds objects by their owner and by their namespace', () => {
    const store = new Store({ failed: unexpected })
    const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'job', uid: 'uid-job' }
    store.put(anObject('a', { ownerReferences: [owner] }), 'Watch')
    store.put(anObject('b', { namespace: 'other' }), 'Watch')
    expect(store.by('owner', 'uid-job').map(({ metadata }) => metadata.name)).toEqual(['a'])
    expect(store.list('other').map(({ metadata }) => metadata.name)).toEqual(['b'])
  })

  it('names the indexes there are when asked for another', () => {
    expect(() => new Store({ failed: unexpected }).by('team', 'red')).toThrow("no index 'team' here; there are namespace, owner")
  })

  it('keeps nothing of an object anew that it has in that version', () => {
    const store = new Store({ failed: unexpected })
    const kept = store.prepare(anObject('a'))
    store.put(kept, 'Watch')
    expect(store.prepare(anObject('a'))).toBe(kept)
    expect([anObject('a', { resourceVersion: '2' }), anObject('a', { uid: 'new' }), anObject('b')].filter((other) => store.prepare(other) === kept)).toEqual([])
  })

  it('does not forget an object because an older one of the same name was deleted', () => {
    const store = new Store({ failed: unexpected })
    store.put(anObject('a', { uid: 'new' }), 'Watch')
    store.drop(anObject('a', { uid: 'old' }), 'Watch')
    expect(store.list()).toHaveLength(1)
  })

  it('keeps an object whose index function fails, and says so', () => {
    const errors: unknown[] = []
    const failing = (): never => {
      throw new Error('no label')
    }
    const store = new Store({ failed: (error) => errors.push(error), indexes: { failing } })
    store.put(anObject('a'), 'Watch')
    expect(store.list()).toHaveLength(1)
    expect(errors).toHaveLength(1)
  })

  it('ends equal to what it was given, and its notices alone lead there too, whatever happened before', async () => {
    const states = fc.uniqueArray(fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), uid: fc.constantFrom('1', '2'), version: fc.integer({ min: 1, max: 3 }) }), { selector: ({ name }) => name })
    await fc.assert(
      fc.asyncProperty(fc.array(states, { maxLength: 5 }), async (history) => {
        const store = new Store({ failed: unexpected })
        const told = new Map<string, KubeObject>()
        store.onChange((before, after) => {
          const key = (before ?? after)?.metadata.name ?? ''
          expect(told.get(key)).toBe(before)
          if (after) told.set(key, after)
          else told.delete(key)
        })
        for (const state of history) {
          const objects = state.map(({ name, uid, version }) => anObject(name, { uid, resourceVersion: `${uid}${version}` }))
          await store.replace(objects, new AbortController().signal)
          const byName = (one: KubeObject, other: KubeObject): number => one.metadata.name.localeCompare(other.metadata.name)
          expect([...store.list()].sort(byName)).toEqual(objects.sort(byName))
          expect([...told.values()].sort(byName)).toEqual(objects)
          expect([...store.list('default')].sort(byName)).toEqual(objects)
        }
      }),
      { numRuns: 50 },
    )
  })
})
