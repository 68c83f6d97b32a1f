import { describe, expect, it } from 'vitest'
import { createFakeWorld } from '../testing/fake-world.ts'
import { Patience } from './patience.ts'

describe('the patience of a reflector', () => {
  const aPatience = (random: number) => {
    const world = createFakeWorld()
    return { world, patience: new Patience({ ...world, random: () => random }) }
  }

  it('doubles from 0.8 to 30 seconds', () => {
    const { patience } = aPatience(0)
    expect(Array.from({ length: 8 }, () => patience.nextMs())).toEqual([800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000])
  })

  it('is up to twice as long by chance, so that replicas do not come back together', () => {
    const { patience } = aPatience(0.5)
    expect(patience.nextMs()).toBe(1_200)
  })

  it('begins anew after two quiet minutes, and not before', async () => {
    const { world, patience } = aPatience(0)
    patience.nextMs()
    await world.advance(800 + 120_000)
    expect(patience.nextMs()).toBe(1_600)
    await world.advance(1_600 + 120_001)
    expect(patience.nextMs()).toBe(800)
  })
})
