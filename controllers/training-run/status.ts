import type { TrainingRunAttempt, TrainingRunProgress, TrainingRunStatus } from '../../crds/training-run.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { setConditions, type ConditionIntent } from '../../operator/meta/conditions.ts'
import { toSeconds } from '../../operator/meta/time.ts'
import { standardConditions } from '../shared/conditions.ts'
import { attemptTable, isFinished, isPrepared, type Observed } from './observed.ts'
import { concernsOf } from './concerns.ts'
import { describeCost } from './cost.ts'
import { isState, states } from './reasons.ts'
import { newestProgress } from './progress.ts'
import { completion, describeArtifacts, describeBestCheckpoint, describePerplexity, newestVerdict, uriOf } from './results.ts'
import type { Frozen } from './verdicts.ts'

/** The complete status: what is known by now, and of everything else what was known before. */
export function buildStatus(seen: Observed, verdict: Verdict): TrainingRunStatus {
  const { run, resolved } = seen
  const before = run.status ?? {}
  if (isFinished(run)) return acknowledge(seen, before)
  const attempts = attemptTable(seen)
  return withoutAbsent({
    observedGeneration: run.metadata.generation ?? 0,
    state: verdict.reason,
    conditions: setConditions(before.conditions, conditionsFor(seen, verdict), seen.now),
    resolved,
    data: before.data ?? describeData(seen),
    model: before.model ?? describeModel(seen),
    progress: describeProgress(seen),
    loss: describeLoss(seen),
    perplexity: describePerplexity(seen),
    bestCheckpoint: describeBestCheckpoint(seen),
    cost: describeCost(seen, isOver(verdict) ? 'Over' : 'Underway'),
    attempts: attempts.length === 0 ? undefined : attempts,
    artifacts: verdict.reason === 'Succeeded' ? describeArtifacts(seen) : before.artifacts,
  })
}

/** A finished run says nothing new; it only shows that it saw a change of its specification, or kstatus would wait for ever. */
function acknowledge({ run }: Observed, before: TrainingRunStatus): TrainingRunStatus {
  const observedGeneration = run.metadata.generation ?? 0
  if (before.observedGeneration === observedGeneration) return before
  return { ...before, observedGeneration, conditions: before.conditions?.map((condition) => ({ ...condition, observedGeneration })) }
}

function conditionsFor(seen: Observed, verdict: Verdict): readonly ConditionIntent[] {
  const { reason } = verdict
  const observedGeneration = seen.run.metadata.generation ?? 0
  const [status, why, says] = dataPrepared(seen)
  return [
    ...standardConditions({ entry: isState(reason) ? states[reason] : states.Failed, verdict, observedGeneration, consulted: seen.consulted }),
    { type: 'DataPrepared', status, reason: why, message: says, observedGeneration },
    ...(reason === 'Running' ? concernsOf(seen) : []).map((concern): ConditionIntent => ({ type: concern.type, status: 'True', reason: concern.reason, message: concern.message, observedGeneration })),
  ]
}

function dataPrepared(seen: Observed): readonly [ConditionIntent['status'], string, string] {
  if (isPrepared(seen)) return ['True', 'Prepared', 'The data is read, checked and split.']
  return seen.consulted ? ['False', 'NotPrepared', ''] : ['Unknown', 'NotPrepared', '']
}

function isOver({ reason }: Verdict): boolean {
  const phase = isState(reason) ? states[reason].phase : 'Failed'
  return phase === 'Succeeded' || phase === 'Failed'
}

/** What the preparation found, also where it found that the data cannot be used. */
function describeData(seen: Observed): TrainingRunStatus['data'] {
  const { prepared, preparations } = seen
  const verdict = prepared ?? preparations.at(-1)?.verdict
  if (verdict?.summary === undefined) return undefined
  const { summary, sources, table } = verdict
  return { ...summary, ...(sources === undefined ? {} : { source: describeFrozen(sources.data) }), ...(table === undefined ? {} : { tableUri: uriOf(seen, table) }) }
}

function describeModel({ prepared }: Observed): TrainingRunStatus['model'] {
  return prepared?.sources && describeFrozen(prepared.sources.model)
}

function describeFrozen({ uri, revision, sha256 }: Frozen): NonNullable<TrainingRunStatus['model']> {
  return { uri, ...(typeof revision === 'string' ? { revision } : {}), ...(typeof sha256 === 'string' ? { sha256 } : {}) }
}

/** Within an attempt progress only grows; an attempt that is over has no time left, and a completed one is at its end. */
function describeProgress(seen: Observed): TrainingRunProgress | undefined {
  const progress = newestProgress(seen)
  const record = attemptTable(seen).at(-1)
  if (record?.state === 'Completed' || seen.result !== undefined) return finalProgress(seen, progress, record)
  if (!progress || progress.attempt !== record?.number || record.state === 'Running') return progress
  const { etaSeconds: _, ...rest } = progress
  return { ...rest, step: Math.max(progress.step, record.lastStep ?? 0) }
}

function finalProgress(seen: Observed, before: TrainingRunProgress | undefined, record: TrainingRunAttempt | undefined): TrainingRunProgress {
  const { totalSteps = before?.totalSteps, lastStep, stoppedEarly } = completion(seen) ?? {}
  const { metrics } = before ?? {}
  return {
    attempt: record?.number ?? 1,
    step: (stoppedEarly ? lastStep : totalSteps) ?? lastStep ?? before?.step ?? 0,
    ...(totalSteps === undefined ? {} : { totalSteps }),
    percent: 100,
    updatedTime: record?.finishedTime ?? toSeconds(seen.now),
    ...(metrics === undefined ? {} : { metrics }),
  }
}

/** The newest verdict's losses; the first loss of the run stays that of the attempt that began at step 0. */
function describeLoss(seen: Observed): TrainingRunStatus['loss'] {
  const before = seen.run.status?.loss
  const verdict = newestVerdict(seen)
  if (!verdict?.loss && !verdict?.evalLoss) return before
  const isContinued = (verdict.fromStep ?? 0) > 0
  const first = isContinued ? (before?.first ?? verdict.loss?.first) : (verdict.loss?.first ?? before?.first)
  const evalFirst = isContinued ? (before?.evalFirst ?? verdict.evalLoss?.first) : (verdict.evalLoss?.first ?? before?.evalFirst)
  return withoutAbsent({ first, last: verdict.loss?.last ?? before?.last, evalFirst, evalLast: verdict.evalLoss?.last ?? before?.evalLast })
}

/** A plan states what is; what is absent is left out rather than undefined, so that plans compare and print well. */
function withoutAbsent<T extends object>(fields: T): T {
  return JSON.parse(JSON.stringify(fields))
}
