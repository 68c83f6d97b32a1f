import { stripVTControlCharacters } from 'node:util'

/** How vitest, unittest and pytest head what they say of a failed test. */
const HEADLINE = /^ ?(FAIL|FAIL:|ERROR:|FAILED|ERROR) +\S/
const REASON = /^(\w+\.)*\w*(Error|Exception): /
const DIFFERENCE = /^ *[-+] {2,}\S/
const MOST_TESTS = 5
const MOST_DIFFERENCES = 4
const MOST_CHARACTERS = 160

type Failure = { headline: string; reason?: string; differences: string[] }

/** Which tests failed, and why, out of what a command prints: of a long run, the end has to tell. */
export type FailureDigest = Readonly<{ read: (line: string) => void; lines: () => readonly string[] }>

/** Hand it every line in turn. At most five tests, each with why and four lines of difference. */
export function failureDigest(): FailureDigest {
  const failures = new Map<string, Failure>()
  let current: Failure | undefined
  const read = (coloured: string): void => {
    const line = stripVTControlCharacters(coloured)
    if (HEADLINE.test(line)) {
      current = { headline: line.trim(), differences: [] }
      failures.set(current.headline, current)
    } else if (current !== undefined && REASON.test(line)) {
      current.reason = line.trim()
    } else if (current?.reason !== undefined && DIFFERENCE.test(line) && current.differences.length < MOST_DIFFERENCES) {
      current.differences.push(line.trim())
    }
  }
  return { read, lines: () => told([...failures.values()]) }
}

function told(failures: readonly Failure[]): readonly string[] {
  const shown = failures.slice(0, MOST_TESTS).flatMap(({ headline, reason, differences }) => [headline, ...[reason ?? [], differences].flat().map((line) => `  ${line}`)])
  const left = failures.length - MOST_TESTS
  return [...shown.map((line) => line.slice(0, MOST_CHARACTERS)), ...(left > 0 ? [`and ${left} more`] : [])]
}
