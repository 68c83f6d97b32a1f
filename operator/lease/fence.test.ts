import { describe, expect, it } from 'vitest'
import { createFakeWorld } from '../testing/fake-world.ts'
import { createFence, NotLeading } from './fence.ts'

describe('the write fence', () => {
  it('is closed until the lease is held, and after it was given back', () => {
    const fence = createFence(createFakeWorld())
    expect(fence.mayWrite).toThrow(NotLeading)
    fence.renewed(0)
    expect(fence.mayWrite).not.toThrow()
    fence.close()
    expect(fence.mayWrite).toThrow('does not hold the lease')
  })

  it('closes ten seconds after the last renewal, whether or not anybody noticed', async () => {
    const world = createFakeWorld()
    const fence = createFence(world)
    fence.renewed(0)
    await world.advance(10_000)
    expect(fence.mayWrite).not.toThrow()
    await world.advance(1)
    expect(fence.mayWrite).toThrow('the lease was last renewed 10001 ms ago')
  })

  it('is not set back by the late answer to an earlier renewal', async () => {
    const world = createFakeWorld()
    const fence = createFence(world)
    await world.advance(9_000)
    fence.renewed(9_000)
    fence.renewed(1_000)
    expect(fence.ageMs()).toBe(0)
  })
})
