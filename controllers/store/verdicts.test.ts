import { describe, expect, it } from 'vitest'

import { createVerdictStore } from './verdicts.ts'

const run = { namespace: 'team', uid: 'u1' }

function storeOf(objects: Readonly<Record<string, unknown>>) {
  return createVerdictStore({ getJson: async (key) => objects[key] })
}

describe('the verdict of an attempt', () => {
  it('is the one its only pod left', async () => {
    expect(await storeOf({ 'team/u1/attempts/2/verdict.json': 'only' }).attemptVerdict(run, 2)).toBe('only')
  })

  it('is the last one where a queue had it make several pods', async () => {
    const objects = { 'team/u1/attempts/2/verdict.json': 'first', 'team/u1/attempts/2/verdict-2.json': 'second', 'team/u1/attempts/2/verdict-3.json': 'third' }
    expect(await storeOf(objects).attemptVerdict(run, 2)).toBe('third')
  })

  it('is absent where no pod left one', async () => {
    expect(await storeOf({}).attemptVerdict(run, 2)).toBeUndefined()
  })
})
