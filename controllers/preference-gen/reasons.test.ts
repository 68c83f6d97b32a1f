import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { states } from './reasons.ts'

const readme = await readFile(new URL('README.md', import.meta.url), 'utf8')

describe('the reasons', () => {
  it.each(Object.entries(states))('are explained to users: %s', (state, { phase, means }) => {
    expect(readme).toContain(`| ${state} | ${phase} | ${means} |`)
  })
})
