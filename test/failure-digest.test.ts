import { describe, expect, it } from 'vitest'
import { failureDigest } from './failure-digest.ts'

const digestOf = (text: string): readonly string[] => {
  const digest = failureDigest()
  for (const line of text.split('\n')) digest.read(line)
  return digest.lines()
}

describe('the digest of what failed', () => {
  it('of vitest tells the test, the error and what differed, without colours', () => {
    const said = `\u001B[31m ×\u001B[39m is told here too
\u001B[41m FAIL \u001B[49m |e2e| test/e2e/a.test.ts > an evaluation > resolves
\u001B[31mAssertionError: expected { …(4) } to match object { …(1) }\u001B[39m

- Expected
+ Received

  {
-   "pods": 9,
+   "pods": 10,
  }`
    expect(digestOf(said)).toEqual(['FAIL  |e2e| test/e2e/a.test.ts > an evaluation > resolves', '  AssertionError: expected { …(4) } to match object { …(1) }', '  -   "pods": 9,', '  +   "pods": 10,'])
  })

  it('of unittest tells the last error of a chain', () => {
    const said = `ERROR: test_resumes (engine.test_resume.Resume.test_resumes)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "a.py", line 1, in a
ValueError: one
During handling of the above exception, another exception occurred:
swe_workloads.errors.StoreError: two

FAIL: test_ends (engine.test_resume.Resume.test_ends)
AssertionError: 1 != 2`
    expect(digestOf(said)).toEqual(['ERROR: test_resumes (engine.test_resume.Resume.test_resumes)', '  swe_workloads.errors.StoreError: two', 'FAIL: test_ends (engine.test_resume.Resume.test_ends)', '  AssertionError: 1 != 2'])
  })

  it('of many tests tells five and how many more there are', () => {
    const said = [1, 2, 3, 4, 5, 6, 7].map((n) => `FAILED tests/test_a.py::test_${n} - AssertionError`).join('\n')
    expect(digestOf(said)).toHaveLength(6)
    expect(digestOf(said).at(-1)).toBe('and 2 more')
  })

  it('of a run without a failure is empty, whatever errors the programs under test told of', () => {
    expect(digestOf('Error: the store is away, as the test wants it\n ✓ resolves')).toEqual([])
  })
})
