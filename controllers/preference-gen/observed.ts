import type { PreferenceGen } from '../../crds/preference-gen.ts'
import type { SWEBenchEval } from '../../crds/swebench-eval.ts'
import type { ObjectRef } from '../../operator/api/object.ts'
import type { Generating, Observed as AskingSeen } from '../generation/observed.ts'
import type { Child } from '../jobs/children.ts'
import type { ConfigMap } from '../shared/kinds.ts'
import { isOwn } from '../shared/own-evaluation.ts'
import { conclude } from './reasons.ts'
import type { Resolved } from './resolve.ts'
import type { Settings } from './settings.ts'
import type { PrepareVerdict, ReportVerdict } from './verdicts.ts'

export type Preparation = Child & Readonly<{ verdict?: PrepareVerdict }>
export type Report = Child & Readonly<{ verdict?: ReportVerdict }>

/** Everything that is known about a PreferenceGen at one moment; the policies see nothing else. */
export type Observed = Generating & Readonly<{
  generation: PreferenceGen
  now: Date
  settings: Settings
  resolved: Resolved
  caBundle?: string
  /** As the cluster has it: what all programs are told but for those that ask the model. */
  inputs?: ConfigMap
  /** Of the name that its own evaluation has, whoever made it. */
  evaluation?: SWEBenchEval
  /** Ascending by number, as are all other Jobs. */
  preparations: readonly Preparation[]
  reports: readonly Report[]
  /** What was prepared, as its pod or the store says. */
  prepared?: PrepareVerdict
  /** What the cluster has of it beside itself and its evaluation, once it is finished. */
  leftovers: readonly ObjectRef[]
  /** The pairs, as their pod or the store's completion marker says. */
  reported?: ReportVerdict
  /** The newest complaint of Kubernetes about the Job that is on its way. */
  warning?: string
  /** Whether the store has told if it was finished before, now or earlier. */
  consulted: boolean
  /** The store had to be asked and did not answer. */
  storeTrouble?: string
}>

/** As the policies of the asking see it. */
export function askingOf(seen: Observed): AskingSeen {
  return { ...seen, asker: seen.generation, testSeconds: testSeconds(seen), isPrepared: preparedPrefix(seen) !== undefined, conclude }
}

/** What its evaluation has counted; once that is gone, what was last seen of it. */
function testSeconds({ evaluation, generation }: Pick<Observed, 'evaluation' | 'generation'>): number {
  if (evaluation !== undefined && isOwn(evaluation, generation)) return evaluation.status?.cost?.seconds ?? 0
  const { seconds = 0, servingSeconds = 0 } = generation.status?.cost ?? {}
  return seconds - servingSeconds
}

/** Where the prepared samples lie, below the own prefix; undefined before the preparation. */
export function preparedPrefix({ prepared, generation }: Pick<Observed, 'prepared' | 'generation'>): string | undefined {
  return prepared?.data ?? generation.status?.data?.prefix
}
