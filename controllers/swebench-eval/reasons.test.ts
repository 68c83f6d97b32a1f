import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { endings } from './rows.ts'
import { states } from './reasons.ts'

const readme = await readFile(new URL('README.md', import.meta.url), 'utf8')

describe('the reasons', () => {
  it.each(Object.entries(states))('are explained to users: %s', (state, { phase, means }) => {
    expect(readme).toContain(`| ${state} | ${phase} | ${means} |`)
  })

  it.each(Object.keys(endings))('of rows are explained to users: %s', (code) => {
    expect(readme).toMatch(new RegExp(`\\b${code}\\b`))
  })

  it('fit a condition', () => {
    for (const state of Object.keys(states)) expect(state).toMatch(/^[A-Z][A-Za-z]{0,63}$/)
  })
})
