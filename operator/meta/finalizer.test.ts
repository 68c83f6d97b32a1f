import { describe, expect, it } from 'vitest'
import { hasFinalizer, releasePatch } from './finalizer.ts'

const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', uid: 'u1', finalizers: ['other/one', 'ours/verdict'] } }

describe('a finalizer of ours', () => {
  it('is recognised among those of others', () => {
    expect([hasFinalizer(pod, 'ours/verdict'), hasFinalizer(pod, 'ours/else')]).toEqual([true, false])
  })

  it('is taken off by position, only if this is still the object and the position still holds it', () => {
    expect(releasePatch(pod, 'ours/verdict')).toEqual([
      { op: 'test', path: '/metadata/uid', value: 'u1' },
      { op: 'test', path: '/metadata/finalizers/1', value: 'ours/verdict' },
      { op: 'remove', path: '/metadata/finalizers/1' },
    ])
  })
})
