import type { World } from '../../../operator/world.ts'

/** Gives the answer of a moment ago, or asks. An answer that fails is not remembered. */
export type Memory<T> = (key: string, ask: () => Promise<T>) => Promise<T>

const MAX_REMEMBERED = 1024 // some hundred bytes each

export function createMemory<T>(world: Pick<World, 'monotonicMs'>, forMs: number): Memory<T> {
  const remembered = new Map<string, Readonly<{ answer: T; untilMs: number }>>()
  return async (key, ask) => {
    const known = remembered.get(key)
    if (known && known.untilMs > world.monotonicMs()) return known.answer
    const answer = await ask()
    remembered.delete(key)
    remembered.set(key, { answer, untilMs: world.monotonicMs() + forMs })
    const oldest = remembered.size > MAX_REMEMBERED ? remembered.keys().next().value : undefined
    if (oldest !== undefined) remembered.delete(oldest)
    return answer
  }
}
