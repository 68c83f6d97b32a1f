import type { TrainingRunAttempt, TrainingRunProgress, TrainingRunStatus } from '../../crds/training-run.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { setConditions, type ConditionIntent } from '../../operator/meta/conditions.ts'
import { toSeconds } from '../../operator/meta/time.ts'
import { describeFrozen } from '../jobs/verdict.ts'
import { standardConditions } from '../shared/conditions.ts'
import { acknowledged, isFinished, wasTrained, withoutAbsent } from '../shared/lifecycle.ts'
import { attemptTable, isTrained } from './attempt-table.ts'
import { isPrepared, type Observed } from './observed.ts'
import { concernsOf } from './concerns.ts'
import { describeCost } from './cost.ts'
import { describePredictions } from './from-eval.ts'
import { describePairs } from './from-preferences.ts'
import { describeOrigin } from './from-run.ts'
import { describeGate } from './gate.ts'
import { entryOf } from './reasons.ts'
import { newestProgress } from './progress.ts'
import { describePublish } from './publishing.ts'
import { describeLoss, describePreferences } from './changes.ts'
import { completion, describeArtifacts, describeBestCheckpoint, describePerplexity, uriOf } from './results.ts'
import { trainedMessage } from './stories.ts'

/** The complete status: what is known by now, and of everything else what was known before. */
export function buildStatus(seen: Observed, verdict: Verdict): TrainingRunStatus {
  const { run, resolved } = seen
  const before = run.status ?? {}
  if (isFinished(run)) return acknowledged(before, run.metadata.generation ?? 0)
  const attempts = attemptTable(seen)
  return withoutAbsent({
    observedGeneration: run.metadata.generation ?? 0,
    state: verdict.reason,
    conditions: setConditions(before.conditions, conditionsFor(seen, verdict), seen.now),
    resolved,
    data: before.data ?? describeData(seen),
    model: before.model ?? describeModel(seen),
    fromRun: describeOrigin(seen),
    fromPreferenceGen: describePairs(seen),
    fromEval: describePredictions(seen),
    ...(wasTrained(run) ? trainingIn(before) : describeTraining(seen)),
    cost: describeCost(seen, isOver(verdict) || isTrained(seen) ? 'Over' : 'Underway'),
    attempts: attempts.length === 0 ? undefined : attempts,
    gate: describeGate(seen),
    publish: describePublish(seen),
  })
}

type Training = Pick<TrainingRunStatus, 'progress' | 'loss' | 'preferences' | 'perplexity' | 'bestCheckpoint' | 'artifacts'>

function describeTraining(seen: Observed): Training {
  return {
    progress: describeProgress(seen),
    loss: describeLoss(seen),
    preferences: describePreferences(seen),
    perplexity: describePerplexity(seen),
    bestCheckpoint: describeBestCheckpoint(seen),
    artifacts: isTrained(seen) ? [...describeArtifacts(seen)] : seen.run.status?.artifacts,
  }
}

/** What follows a training may take longer than its pods are kept, which tell most of this. */
function trainingIn({ progress, loss, preferences, perplexity, bestCheckpoint, artifacts }: TrainingRunStatus): Training {
  return { progress, loss, preferences, perplexity, bestCheckpoint, artifacts }
}

function conditionsFor(seen: Observed, verdict: Verdict): readonly ConditionIntent[] {
  const { reason } = verdict
  const observedGeneration = seen.run.metadata.generation ?? 0
  const [status, why, says] = dataPrepared(seen)
  return [
    ...standardConditions({ entry: entryOf(reason), verdict, observedGeneration, consulted: seen.consulted }),
    { type: 'DataPrepared', status, reason: why, message: says, observedGeneration },
    { type: 'Trained', ...trained(seen), observedGeneration },
    ...(reason === 'Running' ? concernsOf(seen) : []).map((concern): ConditionIntent => ({ type: concern.type, status: 'True', reason: concern.reason, message: concern.message, observedGeneration })),
  ]
}

function dataPrepared(seen: Observed): readonly [ConditionIntent['status'], string, string] {
  if (isPrepared(seen)) return ['True', 'Prepared', 'The data is read, checked and split.']
  return seen.consulted ? ['False', 'NotPrepared', ''] : ['Unknown', 'NotPrepared', '']
}

function trained(seen: Observed): Pick<ConditionIntent, 'status' | 'reason' | 'message'> {
  if (isTrained(seen)) return { status: 'True', reason: 'Trained', message: trainedMessage(seen) }
  return { status: seen.consulted ? 'False' : 'Unknown', reason: 'NotTrained', message: '' }
}

function isOver({ reason }: Verdict): boolean {
  const { phase } = entryOf(reason)
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
