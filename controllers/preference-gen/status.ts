import type { PreferenceGenStatus } from '../../crds/preference-gen.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { setConditions } from '../../operator/meta/conditions.ts'
import { toSeconds } from '../../operator/meta/time.ts'
import { shown } from '../generation/resolve.ts'
import { describeSpent } from '../generation/budget.ts'
import { describeAsking } from '../generation/status.ts'
import { describeFrozen } from '../jobs/verdict.ts'
import { artifactOf, ownUri } from '../shared/artifacts.ts'
import { standardConditions } from '../shared/conditions.ts'
import { acknowledged, isFinished, withoutAbsent } from '../shared/lifecycle.ts'
import { describeOwn, isOwn } from '../shared/own-evaluation.ts'
import { askingOf, type Observed } from './observed.ts'
import { entryOf } from './reasons.ts'

/** The complete status: what is known by now, and of everything else what was known before. */
export function buildStatus(seen: Observed, verdict: Verdict): PreferenceGenStatus {
  const { generation, resolved } = seen
  const before = generation.status ?? {}
  const observedGeneration = generation.metadata.generation ?? 0
  if (isFinished(generation)) return acknowledged(before, observedGeneration)
  const now = toSeconds(seen.now)
  return withoutAbsent({
    observedGeneration,
    state: verdict.reason,
    conditions: setConditions(before.conditions, standardConditions({ entry: entryOf(verdict.reason), verdict, observedGeneration, consulted: seen.consulted }), seen.now),
    resolved: shown(resolved, generation),
    ...describeAsking(askingOf(seen)),
    data: describeData(seen) ?? before.data,
    evaluation: describeOwn(seen.evaluation, generation) ?? before.evaluation,
    ...describePairs(seen, before),
    cost: describeCost(seen) ?? before.cost,
    startedTime: before.startedTime ?? (verdict.reason === 'Grading' ? now : undefined),
    finishedTime: before.finishedTime ?? (verdict.reason === 'Succeeded' ? now : undefined),
    artifacts: describeArtifacts(seen) ?? before.artifacts,
  })
}

function describeData(seen: Observed): PreferenceGenStatus['data'] {
  const verdict = seen.prepared ?? seen.preparations.at(-1)?.verdict
  if (verdict?.summary === undefined) return undefined
  const { summary: { decontamination, ...counts }, sources, data, table } = verdict
  return withoutAbsent({
    ...counts,
    decontamination: decontamination && { ...decontamination, sources: decontamination.sources.map(describeFrozen) },
    prefix: data,
    tableUri: table === undefined ? undefined : ownUri(seen.generation, seen.settings, table),
    source: sources && describeFrozen(sources.instances),
    predictionsSource: sources && describeFrozen(sources.predictions),
  })
}

function describePairs({ reported }: Observed, before: PreferenceGenStatus): Pick<PreferenceGenStatus, 'counts' | 'yield' | 'lengthRatio' | 'passAtK' | 'dropped'> {
  if (reported?.summary === undefined) return { counts: before.counts, yield: before.yield, lengthRatio: before.lengthRatio, passAtK: before.passAtK, dropped: before.dropped }
  const { yield: share, lengthRatio, passAtK, dropped, ...counts } = reported.summary
  return { counts, yield: share, lengthRatio, passAtK, dropped }
}

function describeCost(seen: Observed): PreferenceGenStatus['cost'] {
  const { generation, evaluation } = seen
  const graded = evaluation !== undefined && isOwn(evaluation, generation) ? evaluation.status?.cost : undefined
  const spent = describeSpent(askingOf(seen))
  if (graded === undefined && spent.servingSeconds === undefined) return undefined
  const { pods, cpuSeconds, memoryGiBSeconds } = graded ?? generation.status?.cost ?? NOTHING
  return { pods, cpuSeconds, memoryGiBSeconds, ...spent }
}

const NOTHING = { pods: 0, cpuSeconds: 0, memoryGiBSeconds: 0 }

function describeArtifacts({ generation, reported, settings, now }: Observed): PreferenceGenStatus['artifacts'] {
  return reported?.artifacts?.map((one) => artifactOf(generation, settings, one, toSeconds(now)))
}
