import type { PreferenceGen } from '../../crds/preference-gen.ts'
import { refOf } from '../../operator/api/object.ts'
import { SWEBenchEvalType } from '../../crds/swebench-eval.ts'
import type { ReconcileContext } from '../../operator/control/controller.ts'
import { observeGenerating, sealedSamples, type ProgressBook } from '../generation/observe.ts'
import { isLive, lastWordOf, numbered } from '../jobs/children.ts'
import { consult } from '../jobs/sealed.ts'
import { warningFor, type WarningReader } from '../jobs/warnings.ts'
import { ConfigMapType, JobType, PodType } from '../shared/kinds.ts'
import { isFinished } from '../shared/lifecycle.ts'
import type { ManifestStore } from '../store/manifests.ts'
import type { Observed } from './observed.ts'
import { resolve } from './resolve.ts'
import { evaluationName } from './resources/evaluation.ts'
import { inputsName } from './resources/inputs.ts'
import type { Settings } from './settings.ts'
import { readPrepareVerdict, readReportVerdict } from './verdicts.ts'

export type Sources = Readonly<{ settings: Settings; store: ManifestStore; warnings: WarningReader; progress: ProgressBook }>

/** Everything the plan needs to know; the only place that reads. Fails only where the operator itself is at fault. */
export async function observe(generation: PreferenceGen, context: ReconcileContext, sources: Sources): Promise<Observed> {
  const { cache, world, signal } = context
  const { uid = '', namespace = '' } = generation.metadata
  const jobs = cache.of(JobType).by('owner', uid)
  const children = { jobs, pods: jobs.flatMap((job) => cache.of(PodType).by('owner', job.metadata.uid ?? '')) }
  const maps = cache.of(ConfigMapType)
  const inputs = maps.get({ namespace, name: inputsName(generation) })
  const evaluation = cache.of(SWEBenchEvalType).get({ namespace, name: evaluationName(generation) })
  const known = {
    ...(await observeGenerating(generation, children, context, sources)),
    preparations: numbered(children, 'prepare', []).map((child) => ({ ...child, ...readPrepareVerdict(lastWordOf(child)) })),
    reports: numbered(children, 'report', []).map((child) => ({ ...child, ...readReportVerdict(lastWordOf(child)) })),
  }
  const caBundle = sources.settings.caBundle()
  const warning = await warningFor([...known.askings, ...known.preparations, ...known.reports].findLast(isLive), world.now(), sources.warnings)
  return {
    generation,
    now: world.now(),
    settings: sources.settings,
    resolved: resolve(generation, sources.settings),
    ...known,
    leftovers: isFinished(generation) ? [...jobs, ...maps.by('owner', uid)].map(refOf) : [],
    ...(inputs === undefined ? {} : { inputs }),
    ...(evaluation === undefined ? {} : { evaluation }),
    ...(caBundle === undefined ? {} : { caBundle }),
    ...(warning === undefined ? {} : { warning }),
    ...(await consult(generation, sealedBy(generation, known, sources.store, signal))),
  }
}

type Known = Pick<Observed, 'askings' | 'preparations' | 'reports'>

/** The programs that left something in the store, which one that is finished or lost its status has to be told. */
function sealedBy(generation: PreferenceGen, known: Known, store: ManifestStore, signal: AbortSignal) {
  const { metadata: { namespace = '', uid = '' }, status } = generation
  const of = { namespace, uid }
  return {
    generated: sealedSamples(generation, known, store, signal),
    prepared: { children: known.preparations, isKnown: status?.data?.prefix !== undefined, manifest: () => store.dataManifest(of, signal), read: readPrepareVerdict },
    reported: { children: known.reports, isKnown: false, manifest: () => store.reportManifest(of, signal), read: readReportVerdict },
  }
}
