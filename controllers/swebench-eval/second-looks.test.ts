import { describe, expect, it } from 'vitest'
import type { Row } from '../../operator/fan-out/task.ts'
import { rowOf, type Code } from './rows.ts'
import { followUp, looksIn, purposeOf, type LooksWanted } from './second-looks.ts'
import type { GradeVerdict } from './verdicts.ts'

const tried = (...codes: readonly Code[]): readonly Row[] => codes.map((code, index) => rowOf({ ordinal: 3, attempt: index + 1 }, code, 10 + index))
const verdict = (more: Partial<GradeVerdict> = {}): GradeVerdict => ({ kind: 'Grade', exitCode: 0, reason: 'Completed', message: '', outcome: 'Unresolved', ...more })

/** The code of a prediction's next row, and whether it is tried again, when its try ended with `code` after those of `earlier`. */
function after(earlier: readonly Code[], code: Code, { said, ...more }: Partial<LooksWanted> & { said?: GradeVerdict } = {}): string {
  const row = rowOf({ ordinal: 3, attempt: earlier.length + 1 }, code, 12)
  const wanted = { earlier: tried(...earlier), flakeReruns: 0, isKnownFlaky: false, confirmResolved: false, ...more }
  const { row: next, retryAfterMs } = followUp(row.final ? { row } : { row, retryAfterMs: 5_000 }, said, wanted)
  return `${next.code}${retryAfterMs === undefined ? '' : ` again after ${retryAfterMs}`}`
}

const breaksOnly = verdict({ failToPass: { passed: 2, total: 2 }, passToPass: { passed: 7, total: 8 } })
const mendsNothing = verdict({ failToPass: { passed: 0, total: 2 }, passToPass: { passed: 7, total: 8 } })

describe('a verdict', () => {
  it.each([
    ['is final where nothing speaks for a second look', 'R', {}, 'R'],
    ['waits for two looks where the patch changes support files and others', 'R', { said: verdict({ support: 'Part' }) }, 'r again after 0'],
    ['is graded once more where what resolves is to be confirmed', 'R', { confirmResolved: true }, 'c again after 0'],
    ['is not confirmed where the looks at its parts take the place of that', 'R', { said: verdict({ support: 'Part' }), confirmResolved: true }, 'r again after 0'],
    ['that resolves nothing has nothing to confirm', 'U', { confirmResolved: true }, 'U'],
    ['needs none where such a patch does not resolve', 'U', { said: verdict({ support: 'Part' }) }, 'U'],
    ['is graded again where only tests fail that passed before', 'U', { said: breaksOnly, flakeReruns: 2 }, 'u again after 0'],
    ['is final where tests fail that it should mend', 'U', { said: mendsNothing, flakeReruns: 2 }, 'U'],
    ['is graded again for an instance that is known to be flaky', 'U', { said: mendsNothing, flakeReruns: 2, isKnownFlaky: true }, 'u again after 0'],
    ['is graded again where the tests ran out of time', 'T', { flakeReruns: 1 }, 't again after 0'],
    ['is final without flakeReruns', 'T', {}, 'T'],
    ['is final where the patch does not apply', 'A', { flakeReruns: 2, isKnownFlaky: true }, 'A'],
  ] as const)('%s', (_what, code, more, next) => {
    expect(after([], code, more)).toBe(next)
  })
})

describe('a look at a verdict', () => {
  it.each([
    ['is one of as many as are wanted', after(['u'], 'R', { flakeReruns: 2 }), 'l again after 0'],
    ['at what resolves is one, and the verdict stands whatever it came to', after(['c'], 'U', { confirmResolved: true }), 'R'],
    ['ends with the verdict that stands, whatever it came to', after(['u', 'l'], 'R', { flakeReruns: 2 }), 'U'],
    ['ends with it too where that is a time limit', after(['t'], 'R', { flakeReruns: 1 }), 'T'],
    ['is tried again when the cluster lost it', after(['u'], 'i', { flakeReruns: 2 }), 'i again after 5000'],
    ['is given up when the cluster lost it each time, and the verdict stands', after(['u', 'i', 'i', 'i'], 'X', { flakeReruns: 2 }), 'U'],
    ['is over when the patch ran out of memory this time', after(['u'], 'm', { flakeReruns: 2 }), 'l again after 0'],
    ['is the first of two audits', after(['r'], 'U'), 'l again after 0'],
    ['is the second of two audits', after(['r', 'l'], 'U'), 'R'],
  ])('%s', (_what, next, expected) => {
    expect(next).toBe(expected)
  })

  it.each([
    [[], 'Grade'],
    [['i', 'm'], 'Grade'],
    [['i', 'r'], 'WithoutSupport'],
    [['r', 'i'], 'WithoutSupport'],
    [['r', 'l'], 'SupportAlone'],
    [['u', 'l', 'i'], 'Rerun'],
  ] as const)('after %j is for %s', (codes, purpose) => {
    expect(purposeOf(tried(...codes))).toBe(purpose)
  })
})

it('the first verdict and the looks at it are told apart by their attempts', () => {
  const audited = tried('i', 'r', 'l', 'i', 'R')
  const plain = [rowOf({ ordinal: 4, attempt: 1 }, 'R', 1)]
  const looks = [{ purpose: 'WithoutSupport', attempt: 3 }, { purpose: 'SupportAlone', attempt: 5 }]
  expect([...looksIn([...audited, ...plain])]).toEqual([[3, { verdict: audited[1], looks }]])
})
