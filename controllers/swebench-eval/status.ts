import type { SWEBenchEvalStatus } from '../../crds/swebench-eval.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { setConditions } from '../../operator/meta/conditions.ts'
import { toSeconds } from '../../operator/meta/time.ts'
import { shown } from '../generation/resolve.ts'
import { describeAsking } from '../generation/status.ts'
import { describeFrozen } from '../jobs/verdict.ts'
import { artifactOf, ownUri } from '../shared/artifacts.ts'
import { standardConditions } from '../shared/conditions.ts'
import { acknowledged, isFinished, withoutAbsent } from '../shared/lifecycle.ts'
import { describeBaseline } from './baselines.ts'
import { costOf, countsOf, dryRunOf } from './counts.ts'
import { isolationOf, SANDBOX_ISOLATED } from './isolation.ts'
import { askingOf, baselines, isGraded, toGrade, type Observed } from './observed.ts'
import { entryOf } from './reasons.ts'

/** The complete status: what is known by now, and of everything else what was known before. */
export function buildStatus(seen: Observed, verdict: Verdict): SWEBenchEvalStatus {
  const { evaluation, resolved } = seen
  const before = evaluation.status ?? {}
  const observedGeneration = evaluation.metadata.generation ?? 0
  if (isFinished(evaluation)) return acknowledged(before, observedGeneration)
  const now = toSeconds(seen.now)
  return withoutAbsent({
    observedGeneration,
    state: verdict.reason,
    conditions: setConditions(before.conditions, [...standardConditions({ entry: entryOf(verdict.reason), verdict, observedGeneration, consulted: seen.consulted }), { type: SANDBOX_ISOLATED, ...isolationOf(seen), observedGeneration }], seen.now),
    resolved: shown(resolved, evaluation),
    ...describeAsking(askingOf(seen)),
    data: describeData(seen) ?? before.data,
    startedTime: before.startedTime ?? (verdict.reason === 'Running' ? now : undefined),
    finishedTime: before.finishedTime ?? (isGraded(seen) ? now : undefined),
    progress: describeProgress(seen) ?? before.progress,
    counts: countsOf(seen) ?? before.counts,
    dryRun: dryRunOf(seen) ?? before.dryRun,
    resolvedRate: describeRate(seen) ?? before.resolvedRate,
    baseline: describeBaseline(seen) ?? before.baseline,
    repositories: seen.reported?.summary?.repositories ?? before.repositories,
    passAtK: describePassAtK(seen) ?? before.passAtK,
    integrity: seen.reported?.summary?.integrity ?? before.integrity,
    flakes: describeFlakes(seen) ?? before.flakes,
    leaks: describeLeaks(seen) ?? before.leaks,
    comparisons: seen.reported?.summary?.comparisons ?? before.comparisons,
    cost: costOf(seen) ?? before.cost,
    artifacts: describeArtifacts(seen) ?? before.artifacts,
  })
}

function describeData(seen: Observed): SWEBenchEvalStatus['data'] {
  const verdict = seen.prepared ?? seen.preparations.at(-1)?.verdict
  if (verdict?.summary === undefined) return undefined
  const { summary, sources, data, table } = verdict
  return withoutAbsent({
    ...summary,
    prefix: data,
    tableUri: table === undefined ? undefined : ownUri(seen.evaluation, seen.settings, table),
    source: sources && describeFrozen(sources.instances),
    predictionsSource: sources?.predictions ? describeFrozen(sources.predictions) : undefined,
  })
}

function describeProgress(seen: Observed): SWEBenchEvalStatus['progress'] {
  const total = toGrade(seen)
  if (total === undefined) return undefined
  const done = seen.rows.final.size
  const { running = 0, perMinute, blocked } = seen.progress ?? {}
  const left = total - done
  return withoutAbsent({
    percent: total === 0 ? 100 : Math.floor((100 * done) / total),
    running,
    waiting: Math.max(0, left - running),
    perMinute: left === 0 || perMinute === undefined ? undefined : perMinute.toFixed(1),
    etaSeconds: left === 0 || !perMinute ? undefined : Math.round((60 * left) / perMinute),
    blocked,
  })
}

function describeRate({ reported }: Observed): SWEBenchEvalStatus['resolvedRate'] {
  if (reported?.summary === undefined) return undefined
  const { resolvedRate, low, high, method, auditedRate, validOnly } = reported.summary
  return withoutAbsent({ value: resolvedRate, low, high, method, audited: auditedRate, validOnly })
}

function describePassAtK({ reported }: Observed): SWEBenchEvalStatus['passAtK'] {
  const { passAtK = [], passHatK = [] } = reported?.summary ?? {}
  const rows = passAtK.slice(0, 16).flatMap(({ k, value }) => {
    const all = passHatK.find((one) => one.k === k)?.value
    return all === undefined ? [] : [{ k, atLeastOne: value, all }]
  })
  return rows.length < 2 ? undefined : rows // with one sample it is the resolve rate
}

function describeFlakes({ evaluation: { spec }, reported, resolved }: Observed): SWEBenchEvalStatus['flakes'] {
  return resolved.flakeReruns === 0 && spec.confirmResolved !== true ? undefined : reported?.summary?.flakes
}

function describeLeaks(seen: Observed): SWEBenchEvalStatus['leaks'] {
  return baselines(seen) === 0 ? undefined : seen.reported?.summary?.leaks
}

function describeArtifacts({ evaluation, reported, settings, now }: Observed): SWEBenchEvalStatus['artifacts'] {
  return reported?.artifacts?.map((one) => artifactOf(evaluation, settings, one, toSeconds(now)))
}
