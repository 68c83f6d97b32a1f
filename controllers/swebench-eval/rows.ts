// How a try of a prediction ended, in the few bytes that a result shard keeps of it.
import type { Row, Unit } from '../../operator/fan-out/task.ts'
import type { ConfigMap } from '../shared/kinds.ts'

/** By code. A final one is the prediction's state, C, F and G without a pod of its own: an earlier evaluation ran the same. After the others it is tried again: r, c, u and t are verdicts that stand and are looked at again, l is such a look. K, B, Q and S are of dry runs. */
export const endings = {
  R: { state: 'Resolved', final: true, reason: 'Resolved' },
  U: { state: 'Unresolved', final: true, reason: 'Unresolved' },
  A: { state: 'Error', final: true, reason: 'PatchApplyFailed' },
  T: { state: 'Error', final: true, reason: 'TimedOut' },
  M: { state: 'Error', final: true, reason: 'OutOfMemory' },
  O: { state: 'Unresolved', final: true, reason: 'OutOfMemory' },
  D: { state: 'Error', final: true, reason: 'DiskFull' },
  E: { state: 'Error', final: true, reason: 'NoTestOutput' },
  X: { state: 'Incomplete', final: true, reason: 'Infrastructure' },
  N: { state: 'Incomplete', final: true, reason: 'ImageNotFound' },
  V: { state: 'Incomplete', final: true, reason: 'InstanceInvalid' },
  P: { state: 'Incomplete', final: true, reason: 'InstanceUnproven' },
  K: { state: 'Checked', final: true, reason: 'Ok' },
  B: { state: 'Checked', final: true, reason: 'DoesNotParse' },
  Q: { state: 'Checked', final: true, reason: 'DoesNotApply' },
  S: { state: 'Checked', final: true, reason: 'DoesNotCompile' },
  C: { state: 'Resolved', final: true, reason: 'Resolved' },
  F: { state: 'Unresolved', final: true, reason: 'Unresolved' },
  G: { state: 'Error', final: true, reason: 'PatchApplyFailed' },
  r: { state: 'Resolved', final: false, reason: 'Resolved' },
  c: { state: 'Resolved', final: false, reason: 'Resolved' },
  u: { state: 'Unresolved', final: false, reason: 'Unresolved' },
  t: { state: 'Error', final: false, reason: 'TimedOut' },
  l: { state: 'Incomplete', final: false, reason: 'SecondLook' },
  i: { state: 'Incomplete', final: false, reason: 'Infrastructure' },
  m: { state: 'Error', final: false, reason: 'OutOfMemory' },
  d: { state: 'Error', final: false, reason: 'DiskFull' },
} as const

export type Code = keyof typeof endings

export function rowOf(unit: Unit, code: Code, seconds: number): Row {
  return { ordinal: unit.ordinal, attempt: unit.attempt, code, final: endings[code].final, seconds: Math.max(0, Math.round(seconds)) }
}

export function isCode(text: string): text is Code {
  return Object.hasOwn(endings, text)
}

/** Whether the prediction never got a pod, because its instance is not proven to be valid. */
export function isExcluded({ code }: Pick<Row, 'code'>): boolean {
  return code === 'V' || code === 'P'
}

/** How a prediction ends whose verdict is that of an earlier evaluation, in the words of the index. */
export const CACHED = { Resolved: 'C', Unresolved: 'F', PatchApplyFailed: 'G' } as const

/** Whether the prediction never got a pod, because an earlier evaluation ran the same. */
export function isCached({ code }: Pick<Row, 'code'>): boolean {
  return Object.values<string>(CACHED).includes(code)
}

export function stateOf({ code }: Pick<Row, 'code'>): (typeof endings)[Code]['state'] | undefined {
  return isCode(code) ? endings[code].state : undefined
}

/** The ordinals of an instance's gold patch and no-op, by its place in the index: baselines come before all predictions. */
export function baselinesOf(instance: number): readonly [gold: number, noOp: number] {
  return [2 * instance, 2 * instance + 1]
}

const LINE = /^(\d+) (\w) (\d+) (\d+)$/

/** One row a line, 60 bytes at most: ordinal, code, attempt, seconds. */
export function encodeRows(rows: readonly Row[]): string {
  return rows.map(({ ordinal, code, attempt, seconds }) => `${ordinal} ${code} ${attempt} ${seconds}\n`).join('')
}

/** The rows of all shards in the order they were recorded; what is not a row of ours is passed over. */
export function rowsIn(shards: readonly ConfigMap[]): readonly Row[] {
  return inOrder(shards).flatMap(decoded)
}

// Thousands of rows are looked at in every pass, and an object of the cache is never written to: each is read once.
const decodedBefore = new WeakMap<ConfigMap, readonly Row[]>()
const known = new WeakMap<ConfigMap, Readonly<{ shards: readonly ConfigMap[]; rows: Rows }>>() // by the last shard

function decoded(shard: ConfigMap): readonly Row[] {
  const rows = decodedBefore.get(shard) ?? (shard.data?.[ROWS] ?? '').split('\n').flatMap(decode)
  decodedBefore.set(shard, rows)
  return rows
}

/** Rows, and what all ask of them looked up once. */
export type Rows = Readonly<{
  /** In the order they were recorded. */
  all: readonly Row[]
  /** The last row of each prediction that is not tried again, by ordinal. */
  final: ReadonlyMap<number, Row>
  /** Of all that ran. */
  seconds: number
}>

/** What the shards of an evaluation say: the same object for as long as none of them changes. */
export function recordedIn(shards: readonly ConfigMap[]): Rows {
  const now = inOrder(shards)
  const last = now.at(-1)
  const before = last && known.get(last)
  if (before?.shards.length === now.length && before.shards.every((shard, at) => shard === now[at])) return before.rows
  const rows = indexed(now.flatMap(decoded))
  if (last) known.set(last, { shards: now, rows })
  return rows
}

export function indexed(all: readonly Row[]): Rows {
  const last = new Map(all.map((row) => [row.ordinal, row]))
  return { all, final: new Map([...last].filter(([, { final }]) => final)), seconds: all.reduce((sum, row) => sum + row.seconds, 0) }
}

export const ROWS = 'rows'
export const SHARD = 'swe-operator.dev/shard'

/** By number; others are left out. */
export function inOrder(shards: readonly ConfigMap[]): readonly ConfigMap[] {
  return shards.filter((shard) => shardNumber(shard) !== undefined).toSorted((one, other) => (shardNumber(one) ?? 0) - (shardNumber(other) ?? 0))
}

export function shardNumber({ metadata }: ConfigMap): number | undefined {
  const number = metadata.labels?.[SHARD]
  return number !== undefined && /^\d+$/.test(number) ? Number(number) : undefined
}

function decode(line: string): readonly Row[] {
  const [, ordinal = '', code = '', attempt = '', seconds = ''] = LINE.exec(line) ?? []
  return isCode(code) ? [rowOf({ ordinal: Number(ordinal), attempt: Number(attempt) }, code, Number(seconds))] : []
}
