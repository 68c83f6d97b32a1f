// A SWEBenchEval of given predictions, as its plan sees it.
import type { SWEBenchEval, SWEBenchEvalSpec, SWEBenchEvalStatus } from '../../crds/swebench-eval.ts'
import type { Observed } from '../../controllers/swebench-eval/observed.ts'
import { plan } from '../../controllers/swebench-eval/plan.ts'
import { resolve } from '../../controllers/swebench-eval/resolve.ts'
import { indexed, rowOf, type Code } from '../../controllers/swebench-eval/rows.ts'
import type { PrepareVerdict, ProbeVerdict, ReportVerdict } from '../../controllers/swebench-eval/verdicts.ts'

export const NOW = new Date('2026-01-01T01:00:00Z')
export const settings = { harnessImage: 'harness:1', trainer: { image: 'trainer:1', imagePullPolicy: 'Never' }, serverImages: { Transformers: 'trainer:1', VLLM: 'docker.io/vllm/vllm-openai:v0.26.0', SGLang: 'docker.io/lmsysorg/sglang:v0.5.18' }, currency: 'USD', pools: [], imagePullPolicy: 'Never', artifactsUrl: 'https://artifacts:8443', progressUrl: 'https://progress:8443', endpointHost: 'artifacts', endpointPort: 8443, operatorNamespace: 'swe-operator-system', nameServers: ['10.96.0.10'], bucket: 'swe', caBundle: () => 'CA' } as const
export const summary = { instances: 4, predictions: 4, toRun: 3, emptyPatches: 1, withoutPrediction: 1, unknownIds: 0, duplicates: 0, badRows: 0, images: 2 }
export const prepared: PrepareVerdict = { kind: 'PrepareEval', exitCode: 0, reason: 'Completed', message: '', summary, data: 'data/p1/' }
export const reported: ReportVerdict = { kind: 'ReportEval', exitCode: 0, reason: 'Completed', message: '', summary: { resolvedRate: '0.2000', low: '0.0362', high: '0.6245', method: 'Wilson', resolved: 1, submitted: 4, total: 5, validOnly: '0.5000' }, artifacts: [] }

export const closed: ProbeVerdict = { kind: 'Probe', exitCode: 0, reason: 'Completed', message: 'A pod with the profile of a sandbox reaches nothing that it should not.', reached: [], remarks: [] }
export const open: ProbeVerdict = { ...closed, message: 'A pod with the profile of a sandbox has or reaches the internet.', reached: ['the internet'] }
export const probedBy = (verdict: ProbeVerdict) => [{ number: 1, pods: [], verdict }]

export type Changes = Partial<Omit<Observed, 'evaluation'>> & Readonly<{ spec?: Partial<SWEBenchEvalSpec>; status?: SWEBenchEvalStatus }>

/** An evaluation as it was just applied, in a cluster that works and closes sandboxes. */
export function anObservation({ spec, status, ...more }: Changes = {}): Observed {
  const evaluation: SWEBenchEval = {
    apiVersion: 'swe-operator.dev/v1alpha1', kind: 'SWEBenchEval',
    metadata: { namespace: 'team', name: 'lite', uid: '0b5e7c1a-eval', generation: 1 },
    spec: { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWEBench' }, predictions: { gold: {} }, ...spec },
    ...(status === undefined ? {} : { status }),
  }
  return { evaluation, now: NOW, settings, resolved: resolve(evaluation, settings), caBundle: 'CA', server: { pods: [] }, askings: [], preparations: [], probes: probedBy(closed), listeners: [], others: [], reports: [], rows: rows(), leftovers: [], consulted: true, ...more }
}

export const rows = (...codes: readonly Code[]) => indexed(codes.map((code, ordinal) => rowOf({ ordinal, attempt: 1 }, code, 60)))
export const stateOf = (seen: Observed): unknown => plan(seen).status?.['state']
export const written = (seen: Observed): readonly string[] => plan(seen).writes.map((write) => (write.op === 'create' || write.op === 'apply' ? `${write.op} ${write.object.kind} ${write.object.metadata.name}` : write.op))
