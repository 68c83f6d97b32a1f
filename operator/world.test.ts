import { describe, expect, it } from 'vitest'
import { realWorld } from './world.ts'

const LONG_MS = 3_600_000

describe('a sleep', () => {
  it('ends when its time is over', async () => {
    await expect(realWorld.sleep(1, new AbortController().signal)).resolves.toBeUndefined()
  })

  it('until a time that is over already ends at once, and nothing is printed about it', async () => {
    const warnings: Error[] = []
    const collect = (warning: Error): void => void warnings.push(warning)
    process.on('warning', collect)
    await realWorld.sleep(-0.5)
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', collect)
    expect(warnings).toEqual([])
  })

  it('ends with the reason of its signal, whether that comes before or meanwhile', async () => {
    const [reason, stop] = [new Error('enough'), new AbortController()]
    const sleeping = realWorld.sleep(LONG_MS, stop.signal)
    stop.abort(reason)
    await expect(sleeping).rejects.toBe(reason)
    await expect(realWorld.sleep(LONG_MS, stop.signal)).rejects.toBe(reason)
  })
})
