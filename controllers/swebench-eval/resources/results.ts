// How tries ended: shards that grow while predictions are graded, and the whole of it for the report.
import type { SWEBenchEval } from '../../../crds/swebench-eval.ts'
import type { Row } from '../../../operator/fan-out/task.ts'
import { ownedBy } from '../../../operator/meta/owner.ts'
import type { ConfigMap } from '../../shared/kinds.ts'
import { childLabels } from '../../shared/labels.ts'
import { proofsIn } from '../baselines.ts'
import type { Opponent } from '../opponents.ts'
import { encodeRows, endings, isCached, isCode, ROWS, SHARD, type Rows } from '../rows.ts'
import { looksIn } from '../second-looks.ts'

export const ROWS_PER_SHARD = 800 // of 12 to 24 bytes: below 20 KB, above which objects burden etcd and watches

/** The shard of this number, holding these rows. */
export function buildShard(evaluation: SWEBenchEval, number: number, rows: readonly Row[]): ConfigMap {
  const { name, uid = '' } = evaluation.metadata
  const metadata = metadataOf(evaluation, `${name}-${uid.slice(0, 8)}-rows-${number}`)
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, labels: { ...metadata.labels, [SHARD]: String(number) } }, data: { [ROWS]: encodeRows(rows) } }
}

export function resultsName({ metadata }: SWEBenchEval): string {
  return `${metadata.name}-eval-results`
}

/** How many of the first ordinals are baselines, and the evaluations to compare with. */
export type Beside = Readonly<{ baselines: number; compareWith: readonly Opponent[] }>

/** What the report program needs beside the verdicts: the state of every prediction and baseline, which were lost to the cluster, which instances are not known to be valid, and whom to compare with. */
export function buildResults(evaluation: SWEBenchEval, rows: Rows, { baselines, compareWith }: Beside): ConfigMap {
  const inOrder = [...rows.final.values()].toSorted((one, other) => one.ordinal - other.ordinal)
  const lookedAt = looksIn(rows.all)
  const rowsTold = inOrder.flatMap(({ ordinal, code, ...last }) => {
    if (!isCode(code)) return []
    const { state, reason } = endings[code]
    const { verdict: { attempt, seconds }, looks } = lookedAt.get(ordinal) ?? { verdict: last, looks: [] }
    const ran = isCached({ code }) ? { cached: true } : { attempt, seconds }
    return [{ ordinal, state, ...ran, ...(reason === state ? {} : { reason }), ...(looks.length === 0 ? {} : { looks }) }]
  })
  const infrastructure = inOrder.flatMap(({ ordinal, code }) => (isLost(code) ? [{ ordinal, reason: endings[code].reason, message: MESSAGES[code] }] : []))
  const unproven = proofsIn(rows, baselines).flatMap(({ gold, validity }) => (validity === 'Valid' ? [] : [{ ordinal: gold.ordinal, reason: validity }]))
  const data = { version: 1, rows: rowsTold, infrastructure, unproven, ...(compareWith.length === 0 ? {} : { compareWith }) }
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadataOf(evaluation, resultsName(evaluation)), data: { 'results.json': JSON.stringify(data) } }
}

const MESSAGES = {
  X: 'The sandbox was lost each time it was tried, for no fault of the patch.',
  N: 'The registry has no such image.',
} as const

function isLost(code: string): code is keyof typeof MESSAGES {
  return Object.hasOwn(MESSAGES, code)
}

function metadataOf(evaluation: SWEBenchEval, name: string): ConfigMap['metadata'] {
  return { namespace: evaluation.metadata.namespace ?? '', name, labels: childLabels(evaluation), ownerReferences: [ownedBy(evaluation)] }
}
