import type { ObjectRef } from '../../operator/api/object.ts'
import type { PreferenceGen } from '../../crds/preference-gen.ts'
import type { SWEBenchEval } from '../../crds/swebench-eval.ts'
import type { TrainingRun, TrainingRunProgress } from '../../crds/training-run.ts'
import { conditionOf } from '../../operator/meta/conditions.ts'
import type { Waiting } from '../shared/circles.ts'
import type { ConfigMap, Pod } from '../shared/kinds.ts'
import type { Attempt, Preparation, Publication } from './children.ts'
import type { Pace } from './pace.ts'
import type { QueueAnswer } from './queue/workload.ts'
import type { Resolved } from './resolve.ts'
import type { Settings } from './settings.ts'
import type { PrepareVerdict, PublishVerdict, TrainVerdict } from './verdicts.ts'

/** Everything that is known about a run at one moment; the policies see nothing else. */
export type Observed = Readonly<{
  run: TrainingRun
  now: Date
  settings: Settings
  resolved: Resolved
  caBundle?: string
  /** The run that this one is to continue, while that is not frozen in the status. */
  referred?: TrainingRun
  /** The PreferenceGen that this one is to learn from, likewise. */
  referredPreferences?: PreferenceGen
  /** The SWEBenchEval whose resolved predictions this one is to learn from, likewise. */
  referredEvaluation?: SWEBenchEval
  /** Resources that wait for each other, from this one to itself. */
  circle?: readonly Waiting[]
  /** As the cluster has them. */
  inputs?: ConfigMap
  publishInputs?: ConfigMap
  /** Ascending by number, as are all others. */
  preparations: readonly Preparation[]
  attempts: readonly Attempt[]
  publications: readonly Publication[]
  /** What the cluster has of it beside itself, once it is finished. */
  leftovers: readonly ObjectRef[]
  /** Pods of an earlier run of the same name, which wait for nobody but us. */
  strays: readonly Pod[]
  /** The data is ready, as its pod or the store says. */
  prepared?: PrepareVerdict
  /** The store's completion marker. */
  result?: TrainVerdict
  /** Of the name that the evaluation of its gate has, whoever made it, and the one that it is compared with. */
  gateEvaluation?: SWEBenchEval
  gateBaseline?: SWEBenchEval
  /** The result is on the hub, as its pod or the store says. */
  published?: PublishVerdict
  /** What a training pod reported last, if that was one of the newest attempt. */
  progress?: TrainingRunProgress
  /** How fast the newest attempt is, if it has reported often enough to tell. */
  pace?: Pace
  /** The newest complaint of Kubernetes about the pod that is on its way. */
  warning?: string
  /** What Kueue says about the Job that waits in its queue, if one does. */
  queue?: QueueAnswer
  /** Whether the store has told if the run was finished before, now or earlier. */
  consulted: boolean
  /** The store had to be asked and did not answer. */
  storeTrouble?: string
}>

export function isPrepared({ run, prepared }: Pick<Observed, 'run' | 'prepared'>): boolean {
  return prepared !== undefined || conditionOf(run.status?.conditions, 'DataPrepared')?.status === 'True'
}
