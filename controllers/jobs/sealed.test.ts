import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Condition } from '../../crds/common.ts'
import { consult, waitForStore, type Sealed } from './sealed.ts'
import { readVerdict } from './verdict.ts'

const schema = z.object({ exitCode: z.int() })
const succeeded = { exitCode: 0 }

function owner(complete?: Condition['status']) {
  const conditions = complete === undefined ? [] : [{ type: 'Complete', status: complete, reason: 'Any', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }]
  return { metadata: { namespace: 'team', name: 'one' }, status: { conditions } }
}

function program(children: Sealed['children'], manifest: () => Promise<unknown> = async () => ({ verdict: succeeded }), isKnown = false): Sealed {
  return { children, isKnown, manifest, read: (raw) => readVerdict(schema, raw) }
}

const never = async () => expect.unreachable('the store is not asked')
const away = async () => { throw new Error('The store is away') }

describe('what programs left', () => {
  it('is asked of the store on the first visit', async () => {
    expect(await consult(owner(), { made: program([]), told: program([], never, true) })).toEqual({ consulted: true, made: succeeded })
  })

  it('is asked later only where a pod is gone that might have sealed something', async () => {
    const gone = { number: 1, pods: [] }
    expect(await consult(owner('False'), { made: program([gone]), other: program([], never) })).toEqual({ consulted: true, made: succeeded })
  })

  it('is what a pod says, also while the store is away', async () => {
    const said = { number: 1, pods: [], verdict: succeeded }
    expect(await consult(owner(), { made: program([said], never), other: program([], away) })).toEqual({ consulted: false, made: succeeded, storeTrouble: 'The store is away' })
  })

  it('is not asked for of what is finished', async () => {
    expect(await consult(owner('True'), { made: program([], never) })).toEqual({ consulted: true })
  })
})

describe('a store that does not answer', () => {
  it('leaves open whether the owner is ready only until it was asked once', () => {
    expect(waitForStore({ consulted: false, storeTrouble: 'Away' })).toMatchObject({ ready: 'Unknown', reason: 'StoreUnavailable' })
    expect(waitForStore({ consulted: true, storeTrouble: 'Away' })).toMatchObject({ ready: 'False', again: 15 })
    expect(waitForStore({ consulted: true })).toBeUndefined()
  })
})
