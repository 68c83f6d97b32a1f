import { describe, expect, it } from 'vitest'
import { compare, type Training } from './training-overhead.ts'

const training = (kind: Training['kind'], wall_seconds: number, held_out_seconds = 0): Training => ({ kind, wall_seconds, held_out_seconds })

describe('the overhead of a training', () => {
  it('is compared within each pair, whichever came first, so that a machine that gets slower counts against neither', () => {
    const figures = compare([training('plain', 100), training('wrapped', 101), training('wrapped', 202), training('plain', 200), training('plain', 400), training('wrapped', 412)])
    expect(figures).toEqual({
      trainingPairs: 3, plainWallSeconds: 200, overheadWallPercent: 1, overheadWallLeastPercent: 1, overheadWallMostPercent: 3, heldOutSeconds: 0,
    })
  })

  it('is without the perplexity of the held-out rows, which is told by itself', () => {
    expect(compare([training('plain', 100), training('wrapped', 107, 5)])).toMatchObject({ overheadWallPercent: 2, heldOutSeconds: 5 })
  })
})
