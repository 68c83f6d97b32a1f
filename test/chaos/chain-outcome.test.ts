import { describe, expect, it } from 'vitest'
import { evaluationOf, testedAgain } from './chain-outcome.ts'

const verdicts = (counts: Readonly<Record<string, number>>) => ({ verdicts: new Map(Object.entries(counts)) })

describe('what was tested again', () => {
  it('is what has more verdicts than in an undisturbed one', () => {
    expect(testedAgain(verdicts({ a: 1, b: 3 }), verdicts({ a: 1, b: 1 }))).toBe(2)
    expect(testedAgain(verdicts({ a: 1 }), verdicts({ a: 1, b: 1 }))).toBe(0)
  })

  it('is not said where there is nothing to compare with', () => {
    expect(() => testedAgain(verdicts({}), verdicts({}))).toThrow('the undisturbed one has no verdict to compare with')
  })

  it('is counted in the evaluation that graded, and in no other', () => {
    const made = { metadata: { name: 'pairs' } }
    expect(evaluationOf({ ...made, status: { evaluation: { name: 'pairs-grade', uid: 'u-1' } } })).toBe('u-1')
    expect(() => evaluationOf(made)).toThrow('PreferenceGen pairs does not say which SWEBenchEval graded it')
  })
})
