import { describe, expect, it } from 'vitest'
import type { AuditEvent } from '../world/audit.ts'
import { drained, firstCreateAfter, reactionsMs, releasedAt } from './audited.ts'
import { compareRows } from './drain-rounds.ts'

const at = (ms: number): string => `2026-11-21T10:00:${(ms / 1000).toFixed(6).padStart(9, '0')}Z`
const when = (ms: number): Date => new Date(at(ms))

/** A call that takes 10 ms; `what` is a verb, a resource with its subresource, and a name. */
function call(username: string, ms: number, what: string, code = 200): AuditEvent {
  const [verb = '', kind = '', name = ''] = what.split(' ')
  const [resource = '', subresource] = kind.split('/')
  const objectRef = { resource, name, ...(subresource === undefined ? {} : { subresource }) }
  return { stage: 'ResponseComplete', requestReceivedTimestamp: at(ms), stageTimestamp: at(ms + 10), user: { username }, verb, objectRef, responseStatus: { code } }
}

const drain = [
  call('admin', 1_000, 'patch swebenchevals e'),
  call('op', 1_050, 'patch swebenchevals/status e'),
  call('op', 1_100, 'create pods e-0', 201),
  call('op', 1_110, 'create pods e-1', 201),
  call('op', 1_900, 'patch configmaps e-rows-0'),
  call('op', 1_950, 'get pods e-1'),
  call('op', 2_000, 'delete pods e-0'),
  call('op', 2_090, 'delete pods e-1'),
  call('op', 5_000, 'patch swebenchevals/status e'),
]

describe('a drain, as the audit log has it', () => {
  it('begins with the release and ends with the answer to the last deletion; what is written later does not count', () => {
    expect(drained(drain, 'op', releasedAt(drain, 'admin', 'e'))).toEqual({ seconds: 1.1, podsCreated: 2, podsTwice: 0, podsRemoved: 2, writes: 6, statusWrites: 1 })
  })

  it('knows a pod that was created again', () => {
    expect(drained([...drain, call('op', 2_010, 'create pods e-0', 201)], 'op', when(1_000)).podsTwice).toBe(1)
  })

  it('counts a refused pod as a write and not as a pod', () => {
    expect(drained([...drain, call('op', 2_010, 'create pods e-0', 409)], 'op', when(1_000))).toMatchObject({ podsTwice: 0, podsCreated: 2, writes: 7 })
  })

  it('shows the first pod that a restarted process asked for', () => {
    expect(firstCreateAfter(drain, 'op', when(1_105))).toEqual(when(1_110))
  })
})

describe('a reaction', () => {
  it('is the time from the end of a pod to the next pod, in order, to the microsecond', () => {
    const calls = [call('admin', 0, 'patch pods/status a'), call('admin', 10, 'patch pods/status b'), call('op', 24.25, 'create pods d', 201), call('op', 15.5, 'create pods c', 201)]
    expect(reactionsMs(calls, { ends: 'admin', reacts: 'op' }).map((ms) => Number(ms.toFixed(2)))).toEqual([5.5, 4.25])
  })
})

describe('the rows of a drain', () => {
  const row = (ordinal: number, code: string, attempt = 1, final = true) => ({ ordinal, code, attempt, final })

  it('are right when each prediction has the verdict of its own sandbox once', () => {
    expect(compareRows(3, [row(1, 'R'), row(0, 'U'), row(2, 'R')])).toEqual({ rowsLost: 0, rowsDoubled: 0 })
  })

  it.each([
    ['is missing', [row(0, 'U'), row(1, 'R')], 1, 0],
    ['was tried again', [row(0, 'U'), row(1, 'R'), row(2, 'i', 1, false), row(2, 'R', 2)], 1, 2],
    ['is of another sandbox', [row(0, 'R'), row(1, 'R'), row(2, 'R')], 1, 1],
    ['was recorded twice', [row(0, 'U'), row(1, 'R'), row(2, 'R'), row(2, 'R')], 0, 1],
  ])('are not when one %s', (_what, rows, rowsLost, rowsDoubled) => {
    expect(compareRows(3, rows)).toEqual({ rowsLost, rowsDoubled })
  })
})
