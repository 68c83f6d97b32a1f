import { setTimeout as sleep } from 'node:timers/promises'

export class GaveUpWaiting extends Error {
  override readonly name = 'GaveUpWaiting'
}

const LOOK_EVERY_MS = 500 // a kubectl call takes about 100 ms here; more often would load the cluster under test

/** Looks until `look` returns something; says what was awaited and what was last seen when time is up. */
export async function until<T>(what: string, seconds: number, look: () => Promise<T | undefined | false>, describe?: () => Promise<string>): Promise<T> {
  const deadline = performance.now() + seconds * 1000
  let problem = ''
  for (;;) {
    try {
      const found = await look()
      if (found !== undefined && found !== false) return found
    } catch (error) {
      problem = `; last error: ${String(error)}`
    }
    if (performance.now() > deadline) throw new GaveUpWaiting(`${what}: not within ${seconds} s${problem}${describe ? `\n${await describe()}` : ''}`)
    await sleep(LOOK_EVERY_MS)
  }
}
