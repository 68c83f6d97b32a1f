import type { TrainingRun, TrainingRunProgress as Progress } from '../../crds/training-run.ts'
import type { Child } from '../jobs/children.ts'
import type { Waiting } from '../shared/circles.ts'
import type { ConfigMap } from '../shared/kinds.ts'
import type { Asker } from './asker.ts'
import type { Conclude } from './reasons.ts'
import type { Resolved } from './resolve.ts'
import type { Server } from './serving/server.ts'
import type { Settings } from './settings.ts'
import type { GenerateVerdict } from './verdicts.ts'

export type Asking = Child & Readonly<{ verdict?: GenerateVerdict }>

/** What every asker knows of its model, and of those who ask it; nothing where it has none asked. */
export type Generating = Readonly<{
  /** As the cluster has it: what those are told that ask. */
  questions?: ConfigMap
  /** The run whose result is to be asked, while that is not frozen in the status. */
  referred?: TrainingRun
  /** Resources that wait for each other, from this one by way of that run to itself. */
  circle?: readonly Waiting[]
  /** What serves the model. */
  server: Server
  /** Jobs that ask, ascending by number. */
  askings: readonly Asking[]
  /** What the one that asks reported last: its steps are samples. */
  askingProgress?: Progress
  /** What the model made, as its pod or the store says. */
  generated?: GenerateVerdict
}>

/** Everything that the policies of the asking see. */
export type Observed = Generating & Readonly<{
  asker: Asker
  now: Date
  settings: Settings
  resolved: Resolved
  caBundle?: string
  /** The newest complaint of Kubernetes about the Job that is on its way. */
  warning?: string
  /** For how long tests ran in sandboxes, all of them added up. */
  testSeconds: number
  /** Whether what the model made, or what took its place, was read by the next program. */
  isPrepared: boolean
  conclude: Conclude
}>

/** The samples that the model made, and the rows that it was asked about; undefined before it was. */
export function samplesOf({ generated, asker: { status } }: Pick<Observed, 'generated' | 'asker'>): Readonly<{ predictions: string; revision?: string }> | undefined {
  const predictions = generated?.predictions ?? status?.generation?.predictions
  const revision = generated?.sources?.instances.revision ?? status?.generation?.source?.revision
  return predictions === undefined ? undefined : { predictions, ...(revision === undefined ? {} : { revision }) }
}

/** Whether samples are still to be had from the model. */
export function isToAsk(seen: Pick<Observed, 'generated' | 'isPrepared' | 'asker'>): boolean {
  return seen.asker.spec.generation !== undefined && samplesOf(seen) === undefined && !seen.isPrepared
}
