import { describe, expect, it } from 'vitest'
import { untilEngineTestsEnd } from '../world/engine-tests.ts'
import { stage } from './stage.ts'

const LIMIT_SECONDS = 900

describe('the trainer image', () => {
  const { site, namespace } = stage()

  it('resumes and ends exactly, by the tests it carries', async () => {
    const { passed, log } = await untilEngineTestsEnd({ site, namespace }, LIMIT_SECONDS)
    expect(passed, log).toBe(true)
    expect(log).toMatch(/Ran [1-9]\d* tests?[\s\S]*OK/)
  })
})
