/** Runs one step of a longer piece of work under a name a person can follow. */
export type Progress = <T>(step: string, work: () => Promise<T>) => Promise<T>

const FIRST_SIGN_MS = 3_000
const SIGN_OF_LIFE_MS = 30_000

/** Says nothing. */
export const silent: Progress = (_step, work) => work()

/** `95000` → `1m35s`; below a minute with one decimal, `4.2s`. */
export function elapsed(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`
}

/** One line per step with its time; a slow step gives a sign of life in between. */
export function lines(write: (line: string) => void): Progress {
  return async (step, work) => {
    const start = performance.now()
    const alive = () => write(`  …  ${step} (${elapsed(performance.now() - start)})`)
    const first = setTimeout(alive, FIRST_SIGN_MS)
    const later = setInterval(alive, SIGN_OF_LIFE_MS)
    try {
      const result = await work()
      write(`  ok ${step} ${elapsed(performance.now() - start)}`)
      return result
    } catch (error) {
      write(`  FAILED ${step} ${elapsed(performance.now() - start)}`)
      throw error
    } finally {
      clearTimeout(first)
      clearInterval(later)
    }
  }
}
