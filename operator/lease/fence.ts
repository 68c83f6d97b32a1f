import type { World } from '../world.ts'

/** client-go's renew deadline. Five seconds before anyone else may take a lease of 15 s, this process stops writing. */
export const RENEW_DEADLINE_MS = 10_000

/** A write was refused on this side: the process does not hold the lease, or has not renewed it in time. */
export class NotLeading extends Error {
  override readonly name = 'NotLeading'
}

/**
 * Refuses writes once the lease was not renewed for 10 s. A process that was stopped, or whose event loop was blocked,
 * still believes that it leads when it wakes up; the fence looks at the clock instead.
 */
export type Fence = Readonly<{
  /** The lease was held by us at this monotonic time. */
  renewed(atMs: number): void
  close(): void
  /** Milliseconds since the last renewal; undefined while closed. */
  ageMs(): number | undefined
  /** Throws NotLeading. */
  mayWrite(): void
}>

export function createFence(world: World): Fence {
  let renewedAtMs: number | undefined
  const ageMs = (): number | undefined => (renewedAtMs === undefined ? undefined : world.monotonicMs() - renewedAtMs)
  return {
    renewed: (atMs) => (renewedAtMs = Math.max(atMs, renewedAtMs ?? atMs)),
    close: () => (renewedAtMs = undefined),
    ageMs,
    mayWrite() {
      const age = ageMs()
      if (age === undefined) throw new NotLeading('this replica does not hold the lease, so it writes nothing')
      if (age > RENEW_DEADLINE_MS) throw new NotLeading(`the lease was last renewed ${Math.round(age)} ms ago, so this replica writes nothing`)
    },
  }
}
