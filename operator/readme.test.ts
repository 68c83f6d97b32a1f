import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROW = /^\| .+ \| `(?<file>[^`]+\.test\.ts)` \| (?<test>.+) \|$/gm

const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8')
const rows = [...readme.matchAll(ROW)].map(({ groups }) => [groups?.['test'] ?? '', groups?.['file'] ?? ''] as const)

describe('the guarantees in the README', () => {
  it('are a table', () => {
    expect(rows.length).toBeGreaterThan(30)
  })

  it.each(rows)('are tested: %s', (test, file) => {
    expect(readFileSync(join(import.meta.dirname, file), 'utf8')).toContain(`it('${test}'`)
  })
})
