import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { circleOf, waitInCircle, type Waiting } from './circles.ts'

const KINDS = { r: 'TrainingRun', p: 'PreferenceGen', e: 'SWEBenchEval' } as const

/** `r1` is the TrainingRun r1, and so on. */
const one = (name: string): Waiting => ({ kind: KINDS[name[0] as keyof typeof KINDS], name })

/** Of pairs such as `r1 p1`: the run r1 waits for the PreferenceGen p1. */
function circleAt(start: string, ...pairs: readonly string[]): string | undefined {
  const edges = pairs.map((pair) => pair.split(' '))
  const circle = circleOf(one(start), (awaited) => edges.filter(([, to]) => to === awaited.name).map(([from = '']) => one(from)))
  return circle?.map(({ name }) => name).join(' ')
}

describe('what waits for itself in the end', () => {
  it.each([
    ['a run for pairs that it is to sample itself', 'r1', ['r1 p1', 'p1 r1'], 'r1 p1 r1'],
    ['the same, seen from the pairs', 'p1', ['r1 p1', 'p1 r1'], 'p1 r1 p1'],
    ['a run for what an evaluation of it resolves', 'e1', ['r1 e1', 'e1 r1'], 'e1 r1 e1'],
    ['runs for each other', 'r1', ['r1 r2', 'r2 r3', 'r3 r1'], 'r1 r2 r3 r1'],
    ['all kinds, for one another', 'r1', ['r1 p1', 'p1 r2', 'r2 e1', 'e1 r1'], 'r1 p1 r2 e1 r1'],
    ['the shorter of two ways', 'r1', ['r1 r2', 'r2 r1', 'r1 p1', 'p1 r3', 'r3 r1'], 'r1 r2 r1'],
  ])('is found: %s', (_what, start, pairs, circle) => {
    expect(circleAt(start, ...pairs)).toBe(circle)
  })

  it.each([
    ['a chain has an end', 'r2', ['r2 p1', 'p1 r1']],
    ['others wait in a circle, and say so', 'r1', ['r1 r2', 'r2 r3', 'r3 r2']],
    ['others wait for it', 'r1', ['p1 r1', 'e1 r1', 'r2 p1']],
    ['two wait for the same', 'r1', ['r1 r2', 'r1 p1', 'p1 r2']],
  ])('is nowhere where %s', (_why, start, pairs) => {
    expect(circleAt(start, ...pairs)).toBeUndefined()
  })

  it('is found by way of the kind that is asked for, though another way is shorter', () => {
    const waitersOf = ({ name }: Waiting) => ({ e1: [one('e2'), one('r1')], e2: [one('e1')], r1: [one('e1')], r2: [] }[name] ?? [])
    const through = (kind: string) => circleOf(one('e1'), waitersOf, kind)?.map(({ name }) => name).join(' ')
    expect([through('SWEBenchEval'), through('TrainingRun'), through('PreferenceGen')]).toEqual(['e1 e2 e1', 'e1 r1 e1', undefined])
  })

  it('is found where it names itself', () => {
    expect(circleAt('e1', 'e1 e1')).toBe('e1 e1')
  })

  it('is found wherever it is, each waiting for the next', () => {
    const names = ['r1', 'r2', 'r3', 'p1', 'p2', 'e1']
    fc.assert(fc.property(fc.uniqueArray(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names)), { selector: String, maxLength: 12 }), (edges) => {
      const after = (from: readonly string[]): readonly string[] => edges.filter(([one]) => from.includes(one)).map(([, to]) => to)
      const pairs = edges.map((edge) => edge.join(' '))
      for (const name of names) {
        const steps = names.reduce<readonly (readonly string[])[]>((ways) => [...ways, after(ways.at(-1) ?? [])], [[name]]).slice(1)
        const circle = circleAt(name, ...pairs)?.split(' ')
        expect(circle !== undefined).toBe(steps.some((reached) => reached.includes(name)))
        circle?.slice(1).forEach((to, at) => expect(pairs).toContain(`${circle[at]} ${to}`))
      }
    }))
  })
})

it('is told with its chain and the field that begins it', () => {
  const said = waitInCircle([one('r1'), one('p1'), one('r1')], 'spec.data.preferences.fromPreferenceGen')
  expect(said).toBe('TrainingRun r1 → PreferenceGen p1 → TrainingRun r1 wait for each other (spec.data.preferences.fromPreferenceGen). Delete one of them and create it so that it waits for none of the others.')
})
