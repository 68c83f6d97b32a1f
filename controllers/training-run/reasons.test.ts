import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { ended, endingOfExitCode, failingExitCodes, retryOf } from '../jobs/endings.ts'
import { outcome } from '../../test/world/planned.ts'
import { anObservation, aRecord, failed } from '../../test/world/training-run.ts'
import exitCodes from '../../workloads/swe_workloads/exit_codes.json' with { type: 'json' }
import { isState, states } from './reasons.ts'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

describe('the reasons', () => {
  it.each(Object.entries(states))('are explained to users: %s', (state, { phase, means }) => {
    expect(readme).toContain(`| ${state} | ${phase} | ${means} |`)
  })

  it.each(exitCodes.filter(({ code }) => code !== 0))('are explained to users: exit code $code', ({ code, reason, retry }) => {
    expect(readme).toContain(`| ${reason} | exit code ${code} | ${retry} |`)
  })

  it.each(Object.values(ended).filter(({ reason }) => !exitCodes.some((entry) => entry.reason === reason)))('are explained to users: $reason', ({ reason, retry }) => {
    expect(readme).toContain(`| ${reason} | evidence | ${retry} |`)
  })

  it('fit a condition', () => {
    for (const state of Object.keys(states)) expect(state).toMatch(/^[A-Z][A-Za-z]{0,63}$/)
  })

  it('make a state of every end that is never tried again', () => {
    const final = exitCodes.filter(({ code, retry }) => code !== 0 && retry === 'Never').map(({ reason }) => reason)
    expect(final.filter((reason) => !isState(reason))).toEqual([])
  })
})

describe('an exit code', () => {
  it('means what the programs say it means', () => {
    expect(endingOfExitCode(65)).toMatchObject({ reason: 'InvalidData', retry: 'Never' })
    expect(endingOfExitCode(1)).toBeUndefined()
  })

  it('fails its Job at once if it is one of ours', () => {
    expect(failingExitCodes()).not.toContain(0)
    expect(failingExitCodes()).toContain(75)
  })

  it('counts when nobody knows its reason', () => {
    expect(retryOf('Novel')).toBe('Counted')
  })
})

describe('an end that nothing follows', () => {
  it.each(exitCodes.filter(({ code }) => code !== 0))('is told with a remedy and the last words: exit code $code', ({ code, reason, message: remedy }) => {
    const seen = anObservation({ retries: { limit: 0 } }).withData()
    const before = Array.from({ length: 4 }, (_, i) => aRecord(i + 1, 'Preempted', { reason }))
    const { state, message } = outcome(seen.recorded(...before).attempt(5, { kind: 'Ended', verdict: failed(5, code, reason) }, aRecord(5, 'Running', { perDevice: 1 })))
    const word = String(state)
    expect(isState(word) && states[word].phase).toBe('Failed')
    expect(message).toContain(remedy)
    expect(message).toMatch(/[a-z]+[.][a-zA-Z]+|check|Remove the cause/)
    expect(message).toContain('RuntimeError: it broke')
  })
})
