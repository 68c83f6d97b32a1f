import { TrainingRunType, type TrainingRunProgress } from '../../crds/training-run.ts'
import type { ReconcileContext } from '../../operator/control/controller.ts'
import { isLive, lastWordOf, numbered, type Children } from '../jobs/children.ts'
import type { Sealed } from '../jobs/sealed.ts'
import type { WarningReader } from '../jobs/warnings.ts'
import { lookForCircle } from '../shared/circles.ts'
import { ConfigMapType } from '../shared/kinds.ts'
import type { ManifestStore } from '../store/manifests.ts'
import type { Asker } from './asker.ts'
import { awaitedBy } from './from-run.ts'
import type { Generating } from './observed.ts'
import { questionsName } from './resources/questions.ts'
import { observeServer } from './serving/server.ts'
import { readGenerateVerdict, type GenerateVerdict } from './verdicts.ts'

/** What pods reported since this process started: the newest report of each owner. */
export type ProgressBook = Readonly<{ of(uid: string): TrainingRunProgress | undefined }>

export type Sources = Readonly<{ warnings: WarningReader; progress: ProgressBook }>

/** All of it but for what only the store may know. */
export async function observeGenerating(asker: Asker, children: Children, { cache, world }: ReconcileContext, { warnings, progress }: Sources): Promise<Omit<Generating, 'generated'>> {
  const { namespace = '', uid = '' } = asker.metadata
  const questions = cache.of(ConfigMapType).get({ namespace, name: questionsName(asker) })
  const awaited = awaitedBy(asker)
  const referred = awaited === undefined ? undefined : cache.of(TrainingRunType).get({ namespace, name: awaited })
  const circle = awaited === undefined ? undefined : lookForCircle(asker, cache, TrainingRunType.kind)
  const askings = numbered(children, 'generate', []).map((child) => ({ ...child, ...readGenerateVerdict(lastWordOf(child)) }))
  const reported = progress.of(uid)
  return {
    askings,
    ...(reported === undefined || reported.attempt !== askings.findLast(isLive)?.number ? {} : { askingProgress: reported }),
    server: await observeServer(asker, cache, world.now(), warnings),
    ...(referred === undefined ? {} : { referred }),
    ...(circle === undefined ? {} : { circle }),
    ...(questions === undefined ? {} : { questions }),
  }
}

/** What those who ask have left in the store. */
export function sealedSamples({ metadata: { namespace = '', uid = '' }, spec, status }: Asker, { askings: children }: Pick<Generating, 'askings'>, store: ManifestStore, signal: AbortSignal): Sealed<GenerateVerdict> {
  const isKnown = spec.generation === undefined || status?.data?.prefix !== undefined || status?.generation?.predictions !== undefined
  return { children, isKnown, manifest: () => store.samplesManifest({ namespace, uid }, signal), read: readGenerateVerdict }
}
