import type { TrainingRun } from '../../crds/training-run.ts'
import type { ClusterHandle } from '../cluster/cluster.ts'
import type { StoreView } from '../world/store-view.ts'

/** One claim of the demo and whether it held. */
export type Finding = Readonly<{ claim: string; held: boolean; seen: string }>

/** What must be true after the run; the demo succeeds only if all of it is. */
export async function findings(run: TrainingRun, store: StoreView): Promise<readonly Finding[]> {
  const { attempts = [], artifacts = [], loss } = run.status ?? {}
  const last = attempts.at(-1)
  const adapter = artifacts.find((artifact) => artifact.name.endsWith('adapter_model.safetensors'))
  const shas = await Promise.all(artifacts.map(async (artifact) => (await store.sha256(artifact.uri)) === artifact.sha256))
  return [
    { claim: 'the run is Complete', held: run.status?.state === 'Succeeded', seen: run.status?.state ?? 'no state' },
    { claim: 'it survived the kill', held: attempts.length >= 2 && (last?.fromStep ?? 0) > 0, seen: `${attempts.length} attempts, the last from step ${last?.fromStep ?? 0}` },
    { claim: 'the loss fell', held: Number(loss?.last) < Number(loss?.first), seen: `${loss?.first} → ${loss?.last}` },
    { claim: 'the adapter is in the store', held: adapter !== undefined, seen: adapter?.uri ?? 'no adapter' },
    { claim: 'every sha256 matches the store', held: shas.length > 0 && shas.every(Boolean), seen: `${shas.filter(Boolean).length} of ${shas.length}` },
  ]
}

/** A line for each claim. */
export function claims(all: readonly Finding[]): readonly string[] {
  return all.map((one) => `  ${one.held ? 'yes' : 'NO '}  ${one.claim.padEnd(36)} ${one.seen}`)
}

/** The closing page: what was found, each attempt, each artifact, and how to go on. */
export function report(run: TrainingRun, all: readonly Finding[], cluster: ClusterHandle): string {
  const attempts = (run.status?.attempts ?? []).map((one) =>
    `  ${one.number}  ${one.state.padEnd(10)} ${String(one.reason ?? '').padEnd(16)} step ${one.fromStep ?? 0} → ${one.lastStep ?? '?'}  ${seconds(one.startedTime, one.finishedTime)}`)
  const artifacts = (run.status?.artifacts ?? []).map((one) => `  ${one.name.padEnd(36)} ${String(one.sizeBytes).padStart(9)} B  sha256 ${one.sha256.slice(0, 12)}…`)
  return [
    '', 'What held', ...claims(all),
    '', 'Attempts', ...attempts,
    '', `Loss   ${run.status?.loss?.first} → ${run.status?.loss?.last}   evaluation ${run.status?.loss?.evalFirst ?? '–'} → ${run.status?.loss?.evalLast ?? '–'}`,
    '', 'Artifacts', ...artifacts,
    '', 'Look around', `  export KUBECONFIG=${cluster.kubeconfigPath} PATH=${cluster.binaries.kubectl.replace(/\/[^/]+$/, '')}:$PATH`,
    '  kubectl get trainingruns,preferencegens,swebenchevals -A', '  kubectl describe trainingrun quickstart -n demo', '  kubectl explain trainingrun.spec',
    'Remove it all', `  npm run cluster -- down --name ${cluster.name}`, '',
  ].join('\n')
}

function seconds(from: string | undefined, to: string | undefined): string {
  return from && to ? `${Math.round((Date.parse(to) - Date.parse(from)) / 1000)} s` : ''
}
