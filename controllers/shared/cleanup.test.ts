import { describe, expect, it } from 'vitest'
import { cleanUp, type Finished } from './cleanup.ts'

const FINISHED = '2026-01-01T00:00:00Z'
const job = { apiVersion: 'batch/v1', kind: 'Job', namespace: 'team', name: 'lite-prepare-eval-1' }
const finished = (cleanup?: Finished['spec']['cleanup'], type: 'Complete' | 'Failed' = 'Complete'): Finished => ({ spec: { cleanup }, status: { conditions: [{ type, status: 'True', reason: 'Any', message: '', lastTransitionTime: FINISHED }] } })
const after = (seconds: number): Date => new Date(Date.parse(FINISHED) + 1000 * seconds)

describe('what a finished object has left', () => {
  it('stays where nothing is said about it', () => {
    expect(cleanUp(finished(), [job], after(1e9))).toEqual({})
  })

  it('stays as long as it is wanted, and is looked at again then', () => {
    expect(cleanUp(finished({ afterFinished: '1h' }), [job], after(600))).toEqual({ again: 3000 })
  })

  it.each(['Complete', 'Failed'] as const)('goes after that, also where it is %s', (type) => {
    expect(cleanUp(finished({ afterFinished: '1h' }, type), [job], after(3600))).toEqual({ remove: [job] })
  })

  it('goes at once where nothing is to be kept', () => {
    expect(cleanUp(finished({ afterFinished: '0s' }), [job], after(0))).toEqual({ remove: [job] })
  })

  it('is nothing to look at again once it is gone', () => {
    expect(cleanUp(finished({ afterFinished: '1h' }), [], after(600))).toEqual({})
  })
})
