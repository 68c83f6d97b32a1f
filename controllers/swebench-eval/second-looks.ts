// A verdict stands once it is there; some are looked at again beside it, in further tries of the same prediction.
import type { Judgement, Row } from '../../operator/fan-out/task.ts'
import { rowOf, type Code } from './rows.ts'
import type { GradeVerdict } from './verdicts.ts'

/**
 * What a try is for. Rerun grades the same again, because tests may fail by chance. The next two are for patches that
 * change files which tests are configured by: the patch without these files, and these files alone. DryRun runs no test.
 */
export type Purpose = 'Grade' | 'Rerun' | 'WithoutSupport' | 'SupportAlone' | 'DryRun'

/** By the code of a verdict that is looked at again, the code it ends with. */
const HELD = { r: 'R', c: 'R', u: 'U', t: 'T' } as const
type Held = keyof typeof HELD

const AUDIT: readonly Purpose[] = ['WithoutSupport', 'SupportAlone']

export type LooksWanted = Readonly<{
  /** The rows of the same prediction so far. */
  earlier: readonly Row[]
  flakeReruns: number
  /** Whether its instance is one of spec.knownFlaky. */
  isKnownFlaky: boolean
  confirmResolved: boolean
}>

/** What the next try of a prediction is for, by its rows so far. */
export function purposeOf(earlier: readonly Row[]): Purpose {
  const held = earlier.find(isHeld)
  return held === undefined ? 'Grade' : lookAt(held.code, looksDone(earlier))
}

/** The first try whose verdict stands, and the looks after it, in the order of their attempts; undefined without looks. */
export type Looks = Readonly<{ verdict: Row; looks: readonly Readonly<{ purpose: Purpose; attempt: number }>[] }>

/** By ordinal, of the predictions that were looked at again. */
export function looksIn(rows: readonly Row[]): ReadonlyMap<number, Looks> {
  const found = new Map<number, Looks>()
  for (const row of rows) {
    const before = found.get(row.ordinal)
    if (before === undefined && isHeld(row)) found.set(row.ordinal, { verdict: row, looks: [] })
    else if (before !== undefined && (row.final || row.code === 'l')) found.set(row.ordinal, { ...before, looks: [...before.looks, { purpose: lookAt(before.verdict.code, before.looks.length), attempt: row.attempt }] })
  }
  return found
}

/** What follows from the end of a try: a verdict may wait for looks, and a look never changes it. */
export function followUp(judgement: Judgement, verdict: GradeVerdict | undefined, wanted: LooksWanted): Judgement {
  const { row } = judgement
  const held = wanted.earlier.find(isHeld)
  if (held === undefined) {
    const code = heldCode(row, verdict, wanted)
    return code === undefined ? judgement : { row: rowOf(row, code, row.seconds), retryAfterMs: 0 }
  }
  if (row.code === 'i') return judgement // lost to the cluster, and tried again
  const done = looksDone(wanted.earlier) + 1
  const isLast = row.code === 'X' || done >= looksAfter(held.code, wanted)
  return isLast ? { row: rowOf(row, HELD[held.code], row.seconds) } : { row: rowOf(row, 'l', row.seconds), retryAfterMs: 0 }
}

function looksAfter(held: Held, { flakeReruns }: LooksWanted): number {
  if (held === 'r') return AUDIT.length
  return held === 'c' ? 1 : flakeReruns
}

function heldCode({ code }: Row, verdict: GradeVerdict | undefined, { flakeReruns, isKnownFlaky, confirmResolved }: LooksWanted): Code | undefined {
  if (code === 'R' && verdict?.support === 'Part') return 'r'
  if (code === 'R') return confirmResolved ? 'c' : undefined
  if (flakeReruns === 0) return undefined
  if (code === 'T') return 't'
  return code === 'U' && (isKnownFlaky || onlyBreaks(verdict)) ? 'u' : undefined
}

/** Whether it mends what it is to mend, and tests fail that passed before: these are the ones that flake. */
function onlyBreaks(verdict: GradeVerdict | undefined): boolean {
  const { failToPass, passToPass } = verdict ?? {}
  return failToPass !== undefined && passToPass !== undefined && failToPass.passed === failToPass.total && passToPass.passed < passToPass.total
}

function looksDone(earlier: readonly Row[]): number {
  return earlier.filter(({ code }) => code === 'l').length
}

function isHeld(row: Row): row is Row & Readonly<{ code: Held }> {
  return Object.hasOwn(HELD, row.code)
}

function lookAt(held: string, place: number): Purpose {
  return held === 'r' ? (AUDIT[place] ?? 'SupportAlone') : 'Rerun'
}
