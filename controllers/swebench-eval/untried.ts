// Predictions that end without a pod of their own.
import type { Judgement, Task, Unit } from '../../operator/fan-out/task.ts'
import { validityOf } from './baselines.ts'
import type { RowBook } from './row-book.ts'
import { baselinesOf, CACHED, rowOf, type Code } from './rows.ts'
import type { Index } from './verdicts.ts'

/**
 * What an earlier evaluation ran the same way. Where instances must be proven, predictions wait for the baselines of
 * theirs before that, and get no pod either where these do not prove it to be valid.
 */
export function untriedOf(index: Index, rows: RowBook, quality: 'Proven' | 'Any'): Pick<Task, 'waitsFor' | 'judgeUntried'> {
  const cached = cachedIn(index)
  if (quality === 'Any') return { judgeUntried: (unit) => judgementOf(unit, cached(unit.ordinal)) }
  const waitsFor = (ordinal: number): readonly number[] => {
    const { instance, kind } = index.predictions[ordinal] ?? {}
    return instance === undefined || kind !== undefined ? [] : baselinesOf(instance)
  }
  const excluded = (ordinal: number): Code | undefined => {
    const [gold, noOp] = waitsFor(ordinal).map((baseline) => rows.of(baseline).at(-1))
    const validity = validityOf(gold, noOp)
    if (validity === undefined || validity === 'Valid') return undefined
    return validity === 'Unknown' ? 'P' : 'V'
  }
  return { waitsFor, judgeUntried: (unit) => judgementOf(unit, excluded(unit.ordinal) ?? cached(unit.ordinal)) }
}

function cachedIn({ predictions }: Index): (ordinal: number) => Code | undefined {
  return (ordinal) => {
    const { cached } = predictions[ordinal] ?? {}
    return cached === undefined ? undefined : CACHED[cached]
  }
}

function judgementOf(unit: Unit, code: Code | undefined): Judgement | undefined {
  return code === undefined ? undefined : { row: rowOf(unit, code, 0) }
}
