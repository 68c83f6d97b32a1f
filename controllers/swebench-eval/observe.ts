import { refOf } from '../../operator/api/object.ts'
import { SWEBenchEvalType, type SWEBenchEval } from '../../crds/swebench-eval.ts'
import type { ReconcileContext } from '../../operator/control/controller.ts'
import { observeGenerating, sealedSamples, type ProgressBook } from '../generation/observe.ts'
import { isLive, lastWordOf, numbered } from '../jobs/children.ts'
import { consult } from '../jobs/sealed.ts'
import { warningFor, type WarningReader } from '../jobs/warnings.ts'
import { lookForCircle } from '../shared/circles.ts'
import { ConfigMapType, JobType, NetworkPolicyType, PodType } from '../shared/kinds.ts'
import { ROLE } from '../shared/labels.ts'
import { isFinished } from '../shared/lifecycle.ts'
import type { ManifestStore } from '../store/manifests.ts'
import type { GradingProgress, Observed } from './observed.ts'
import { resolve } from './resolve.ts'
import { inputsName } from './resources/inputs.ts'
import { networkPolicyName } from './resources/network-policy.ts'
import { resultsName } from './resources/results.ts'
import { recordedIn } from './rows.ts'
import type { Settings } from './settings.ts'
import { readPrepareVerdict, readProbeVerdict, readReportVerdict } from './verdicts.ts'

/** The sandboxes that this process drives. */
export type SandboxProgress = Readonly<{ progressOf(uid: string): GradingProgress | undefined }>

export type Sources = Readonly<{ settings: Settings; store: ManifestStore; warnings: WarningReader; progress: ProgressBook; sandboxes: SandboxProgress }>

/** Everything the plan needs to know; the only place that reads. Fails only where the operator itself is at fault. */
export async function observe(evaluation: SWEBenchEval, context: ReconcileContext, sources: Sources): Promise<Observed> {
  const { cache, world, signal } = context
  const { uid = '', namespace = '' } = evaluation.metadata
  const pods = cache.of(PodType).by('owner', uid) // sandboxes; the Jobs' pods belong to their Jobs
  const jobs = cache.of(JobType).by('owner', uid)
  const children = { jobs, pods: [...pods.filter(isOfJob), ...jobs.flatMap((job) => cache.of(PodType).by('owner', job.metadata.uid ?? ''))] }
  const maps = cache.of(ConfigMapType)
  const [inputs, results] = [maps.get({ namespace, name: inputsName(evaluation) }), maps.get({ namespace, name: resultsName(evaluation) })]
  const networkPolicy = cache.of(NetworkPolicyType).get({ namespace, name: networkPolicyName(evaluation) })
  const known = {
    ...(await observeGenerating(evaluation, children, context, sources)),
    preparations: numbered(children, 'prepare', []).map((child) => ({ ...child, ...readPrepareVerdict(lastWordOf(child)) })),
    probes: numbered(children, 'probe', []).map((child) => ({ ...child, ...readProbeVerdict(lastWordOf(child)) })),
    listeners: numbered(children, 'listener', []),
    reports: numbered(children, 'report', []).map((child) => ({ ...child, ...readReportVerdict(lastWordOf(child)) })),
  }
  const caBundle = sources.settings.caBundle()
  const circleOfOpponents = isFinished(evaluation) || evaluation.spec.compareWith === undefined ? undefined : lookForCircle(evaluation, cache, SWEBenchEvalType.kind)
  const progress = sources.sandboxes.progressOf(uid)
  const warning = await warningFor([...known.askings, ...known.listeners, ...known.probes, ...known.preparations, ...known.reports].findLast(isLive), world.now(), sources.warnings)
  return {
    evaluation,
    now: world.now(),
    settings: sources.settings,
    resolved: resolve(evaluation, sources.settings),
    rows: recordedIn(maps.by('owner', uid)),
    others: (evaluation.spec.compareWith ?? []).flatMap((name) => cache.of(SWEBenchEvalType).get({ namespace, name }) ?? []),
    ...(circleOfOpponents === undefined ? {} : { circleOfOpponents }),
    ...known,
    leftovers: isFinished(evaluation) ? [...jobs, ...maps.by('owner', uid), ...cache.of(NetworkPolicyType).by('owner', uid)].map(refOf) : [],
    ...(inputs === undefined ? {} : { inputs }),
    ...(results === undefined ? {} : { results }),
    ...(networkPolicy === undefined ? {} : { networkPolicy }),
    ...(caBundle === undefined ? {} : { caBundle }),
    ...(progress === undefined ? {} : { progress }),
    ...(warning === undefined ? {} : { warning }),
    ...(await consult(evaluation, sealedBy(evaluation, known, sources.store, signal))),
  }
}

function isOfJob({ metadata }: Readonly<{ metadata: Readonly<{ labels?: Readonly<Record<string, string>> }> }>): boolean {
  return metadata.labels?.[ROLE] !== 'sandbox'
}

type Known = Pick<Observed, 'askings' | 'preparations' | 'reports'>

/** The programs that left something in the store, which one that is finished or lost its status has to be told. */
function sealedBy(evaluation: SWEBenchEval, known: Known, store: ManifestStore, signal: AbortSignal) {
  const { metadata: { namespace = '', uid = '' }, status } = evaluation
  const of = { namespace, uid }
  return {
    generated: sealedSamples(evaluation, known, store, signal),
    prepared: { children: known.preparations, isKnown: status?.data?.prefix !== undefined, manifest: () => store.dataManifest(of, signal), read: readPrepareVerdict },
    reported: { children: known.reports, isKnown: false, manifest: () => store.reportManifest(of, signal), read: readReportVerdict },
  }
}
