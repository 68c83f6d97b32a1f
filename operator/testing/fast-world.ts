import { setTimeout as delay } from 'node:timers/promises'
import type { World } from '../world.ts'

/** A real world in which time passes `factor` times as fast: for code that waits for sockets as well as for clocks. */
export function createFastWorld(factor: number): World {
  let ids = 0
  return {
    now: () => new Date(Date.UTC(2026, 0, 1) + performance.now() * factor),
    monotonicMs: () => performance.now() * factor,
    random: () => 0,
    uuid: () => `00000000-0000-4000-8000-${String((ids += 1)).padStart(12, '0')}`,
    sleep: (ms, signal) => delay(ms / factor, undefined, signal ? { signal } : {}),
  }
}
