import { describe, expect, it } from 'vitest'
import type { SWEBenchEval, SWEBenchEvalStatus } from '../../crds/swebench-eval.ts'
import { anObservation, open, prepared, probedBy, reported, rows, settings, stateOf, summary, written, type Changes } from '../../test/world/evaluation-seen.ts'
import type { Child } from '../jobs/children.ts'
import type { Observed } from './observed.ts'
import { plan } from './plan.ts'
import { resolve } from './resolve.ts'
import { indexed, rowOf } from './rows.ts'
import type { ProbeVerdict, ReportVerdict } from './verdicts.ts'

/** The pod of the other sandbox, there to be reached. */
function aListener(podIP?: string): Child {
  const labels = { 'swe-operator.dev/role': 'listener', 'swe-operator.dev/attempt': '1' }
  return { number: 1, job: { apiVersion: 'batch/v1', kind: 'Job', metadata: { namespace: 'team', name: 'lite-eval-listener-1', labels } }, pods: [{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'team', name: 'listener', labels }, spec: { nodeName: 'node' }, status: { phase: 'Running', ...(podIP === undefined ? {} : { podIP }) } }] }
}

describe('an evaluation', () => {
  it('is prepared first', () => {
    expect([stateOf(anObservation()), written(anObservation())]).toEqual(['Preparing', ['apply ConfigMap lite-inputs-eval', 'apply NetworkPolicy lite-eval-sandboxes', 'create Job lite-prepare-eval-1']])
  })

  it('that names what its namespace may not read gets no pod', () => {
    const seen = anObservation({ spec: { predictions: { s3: { uri: 's3://swe/other/preds.json' } } } })
    expect([stateOf(seen), written(seen)]).toEqual(['InvalidReference', []])
    expect(JSON.stringify(plan(seen).status)).toContain('spec.predictions.s3.uri s3://swe/other/preds.json lies outside')
  })

  it('that must run images by digest gets no pod where images are never pulled', () => {
    const seen = anObservation({ spec: { images: { pinDigests: 'Required' } } })
    expect([stateOf(seen), written(seen)]).toEqual(['InvalidConfiguration', []])
    expect(JSON.stringify(plan(seen).status)).toContain('spec.images.pinDigests is Required, but this installation never pulls images')
  })

  it('pins images where they are pulled, and shows which of them run by name', () => {
    const pulled = { ...settings, imagePullPolicy: 'IfNotPresent' } as const
    expect([resolve(anObservation().evaluation, settings).pinDigests, resolve(anObservation().evaluation, pulled).pinDigests]).toEqual(['Never', 'BestEffort'])
    const pins = { pinnedImages: 1, unpinnedImageExamples: [{ name: 'a:1', reason: 'the registry has no such image (HTTP 404)' }] }
    expect(plan(anObservation({ prepared: { ...prepared, summary: { ...summary, ...pins } } })).status).toMatchObject({ data: { images: 2, ...pins } })
  })

  it('is graded once it is prepared: how far, is in its status', () => {
    const seen = anObservation({ prepared, rows: rows('R'), progress: { total: 3, settled: 1, running: 2, lost: 0, isDone: false, perMinute: 2 } })
    expect(plan(seen).status).toMatchObject({
      state: 'Running',
      startedTime: '2026-01-01T01:00:00Z',
      data: { prefix: 'data/p1/', toRun: 3 },
      progress: { percent: 33, running: 2, waiting: 0, perMinute: '2.0', etaSeconds: 60 },
      counts: { total: 5, submitted: 4, resolved: 1, emptyPatch: 1, incomplete: 1 },
      cost: { pods: 1, cpuSeconds: 60, memoryGiBSeconds: 240, cpuSecondsPerResolved: 60 },
    })
  })

  it('closes the network before the first sandbox may start', () => {
    expect(written(anObservation({ prepared }))).toContain('apply NetworkPolicy lite-eval-sandboxes')
  })

  it('says why further sandboxes wait', () => {
    const seen = anObservation({ prepared, progress: { total: 3, settled: 0, running: 0, lost: 0, isDone: false, blocked: 'exceeded quota: pods' } })
    expect(JSON.stringify(plan(seen).status)).toContain('Further sandboxes wait: exceeded quota: pods.')
  })

  it('that is suspended lets sandboxes finish and then holds', () => {
    const held = (running: number) => anObservation({ spec: { suspend: true }, prepared, progress: { total: 3, settled: 0, running, lost: 0, isDone: false } })
    expect([stateOf(held(2)), stateOf(held(0))]).toEqual(['Suspending', 'Suspended'])
  })

  it('is reported once every prediction has its verdict, with what each was', () => {
    const seen = anObservation({ prepared, rows: rows('R', 'U', 'X') })
    expect([stateOf(seen), written(seen)]).toEqual(['Reporting', ['apply ConfigMap lite-inputs-eval', 'apply NetworkPolicy lite-eval-sandboxes', 'create ConfigMap lite-eval-results', 'create Job lite-eval-report-1']])
    const results = plan(seen).writes.flatMap((write) => (write.op === 'create' && write.object.kind === 'ConfigMap' ? [JSON.parse((write.object as { data?: Record<string, string> }).data?.['results.json'] ?? '')] : []))
    expect(results).toMatchObject([{ rows: [{ ordinal: 0, state: 'Resolved', attempt: 1, seconds: 60 }, { ordinal: 1, state: 'Unresolved' }, { ordinal: 2, state: 'Incomplete' }], infrastructure: [{ ordinal: 2, reason: 'Infrastructure' }] }])
  })

  describe('that is to be compared', () => {
    const compared = { spec: { compareWith: ['sft'] }, prepared, rows: rows('R', 'U', 'X') }
    const another = (status: SWEBenchEvalStatus): SWEBenchEval => ({ ...anObservation({ status }).evaluation, metadata: { namespace: 'team', name: 'sft', uid: 'u-1' } })
    const finished = (type: 'Complete' | 'Failed'): SWEBenchEvalStatus => ({ conditions: [{ type, status: 'True', reason: 'Any', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }] })
    const opponentsIn = (seen: Observed) => plan(seen).writes.flatMap((write) => (write.op === 'create' && write.object.kind === 'ConfigMap' ? JSON.parse((write.object as { data?: Record<string, string> }).data?.['results.json'] ?? '').compareWith : []))

    it('waits with its report for the other one, and says how to have it without', () => {
      expect(stateOf(anObservation({ ...compared, others: [another({})] }))).toBe('WaitingForReference')
      expect(JSON.stringify(plan(anObservation(compared)).status)).toContain('There is no SWEBenchEval sft in this namespace. To have it without, take the name out of spec.compareWith.')
    })

    it('with one that waits for it says so, and how to go on', () => {
      const self = { kind: 'SWEBenchEval', name: 'lite' }
      const seen = anObservation({ ...compared, others: [another({})], circleOfOpponents: [self, { kind: 'SWEBenchEval', name: 'sft' }, self] })
      expect([stateOf(seen), written(seen)]).toEqual(['UnusableReference', []])
      expect(JSON.stringify(plan(seen).status)).toContain('SWEBenchEval lite → SWEBenchEval sft → SWEBenchEval lite wait for each other (spec.compareWith). Delete one of them and create it so that it waits for none of the others. Or take the name out of spec.compareWith to have the report without.')
      expect(stateOf({ ...seen, rows: rows('R', 'U') })).toBe('Running')
    })

    it('is told where the results of the other one lie', () => {
      const uri = 's3://swe/team/u-1/report/p/results.jsonl'
      const other = another({ ...finished('Complete'), artifacts: [{ name: 'results.jsonl', uri, sha256: '0'.repeat(64), sizeBytes: 1, createdTime: '2026-01-01T00:00:00Z' }] })
      expect(opponentsIn(anObservation({ ...compared, others: [other] }))).toEqual([{ name: 'sft', uid: 'u-1', results: uri }])
    })

    it('is reported without the other one if that has failed', () => {
      const seen = anObservation({ ...compared, others: [another(finished('Failed'))] })
      expect([stateOf(seen), opponentsIn(seen)]).toEqual(['Reporting', [{ name: 'sft', uid: 'u-1', problem: 'it has failed' }]])
    })

    it('shows what came of it', () => {
      const comparisons = [{ name: 'sft', uid: 'u-1', instances: 3, difference: '0.3333', low: '0.0000', high: '0.6667', pValue: '1.0000', wins: 1, losses: 0 }]
      const seen = anObservation({ ...compared, reported: { ...reported, summary: { ...reported.summary!, comparisons } } })
      expect(plan(seen).status).toMatchObject({ state: 'Succeeded', comparisons })
    })
  })

  it('waits with the report for a prediction that is tried again', () => {
    expect(stateOf(anObservation({ prepared, rows: rows('R', 'U', 'i') }))).toBe('Running')
  })

  it('has succeeded with its reports, and shows strict and valid-only rates side by side', () => {
    const seen = anObservation({ prepared, rows: rows('R', 'U', 'X'), reported })
    expect(plan(seen).status).toMatchObject({ state: 'Succeeded', resolvedRate: { value: '0.2000', low: '0.0362', validOnly: '0.5000' }, counts: { incomplete: 2 } })
  })

  it('shows how much of its resolve rate the logs bear out, and how it fares in each repository', () => {
    const integrity = { clean: 0, suspicious: 0, tampered: 1, unknown: 0 }
    const repositories = [{ name: 'psf/requests', total: 4, resolved: 1 }]
    const seen = anObservation({ prepared, rows: rows('R', 'U', 'X'), reported: { ...reported, summary: { ...reported.summary!, auditedRate: '0.0000', integrity, repositories } } })
    expect(plan(seen).status).toMatchObject({ resolvedRate: { value: '0.2000', audited: '0.0000' }, integrity, repositories })
  })

  it('whose gold patches and no-ops are graded too counts predictions alone, and tells which instances are valid', () => {
    const withBaselines = { ...prepared, summary: { ...summary, baselines: 6 } }
    const seen = anObservation({ prepared: withBaselines, rows: rows('R', 'U', 'T', 'U', 'X', 'U', 'R', 'U'), progress: { total: 9, settled: 8, running: 1, lost: 0, isDone: false, instances: ['a', 'b', 'c'] } })
    expect(plan(seen).status).toMatchObject({
      state: 'Running',
      data: { toRun: 3, baselines: 6 },
      progress: { percent: 88, running: 1, waiting: 0 },
      counts: { total: 5, submitted: 4, completed: 2, resolved: 1, unresolved: 1, error: 0, timedOut: 0, incomplete: 1 },
      baseline: {
        instances: 3, valid: 1, goldFails: 1, noOpResolves: 0, unknown: 1,
        examples: [{ name: 'b', reason: 'GoldFails', message: 'Gold patch: Error (TimedOut); no-op: Unresolved.' }, { name: 'c', reason: 'Unknown', message: 'Gold patch: Incomplete (Infrastructure); no-op: Unresolved.' }],
      },
      cost: { pods: 8, cpuSecondsPerResolved: 480 },
    })
    expect(JSON.stringify(plan(seen).status)).toContain('8 of 9 predictions and baselines have a verdict')
  })

  it('that keeps proven instances alone counts what it did not run apart, and no pod for it', () => {
    const withBaselines = { ...prepared, summary: { ...summary, baselines: 4 } }
    const seen = anObservation({ prepared: withBaselines, rows: rows('U', 'U', 'R', 'X', 'V', 'P', 'V'), reported })
    expect(plan(seen).status).toMatchObject({ counts: { total: 5, submitted: 4, completed: 0, incomplete: 4, excluded: 3 }, baseline: { instances: 2, valid: 0, goldFails: 1, unknown: 1 }, cost: { pods: 4 } })
    expect(JSON.stringify(plan(seen).status)).toContain('1 have no verdict. Not run, because their instance is not proven to be valid here: 3.')
  })

  it('says how much an earlier evaluation ran the same, and counts nothing of it as cost', () => {
    const withBaselines = { ...prepared, summary: { ...summary, baselines: 2 } }
    const seen = anObservation({ prepared: withBaselines, rows: indexed((['C', 'U', 'C', 'G', 'R'] as const).map((code, ordinal) => rowOf({ ordinal, attempt: 1 }, code, code === 'C' || code === 'G' ? 0 : 60))), reported })
    expect(plan(seen).status).toMatchObject({ counts: { completed: 2, resolved: 2, error: 1, cached: 2, patchApplyFailed: 1 }, baseline: { instances: 1, valid: 1, cached: 1 }, cost: { pods: 2, cpuSeconds: 120, cpuSecondsPerResolved: 120 } })
    expect(JSON.stringify(plan(seen).status)).toContain('Not run again, because an earlier evaluation ran the same: 2.')
  })

  it('keeps the names of invalid instances while no sandbox of it is driven', () => {
    const withBaselines = { ...prepared, summary: { ...summary, baselines: 2 } }
    const examples = [{ name: 'a', reason: 'GoldFails', message: 'Gold patch: Unresolved; no-op: Unresolved.' }] as const
    const seen = anObservation({ prepared: withBaselines, rows: rows('U', 'U', 'R', 'U', 'X'), reported, status: { baseline: { instances: 1, valid: 0, goldFails: 0, noOpResolves: 0, unknown: 0, examples } } })
    expect(plan(seen).status).toMatchObject({ state: 'Succeeded', baseline: { goldFails: 1, examples } })
    expect(JSON.stringify(plan(seen).status)).toContain('Instances that cannot be graded here: 1; status.baseline names them.')
  })

  it('that has finished says nothing new and writes nothing, whatever becomes of its children', () => {
    const done = plan(anObservation({ prepared, rows: rows('R', 'U', 'X'), reported })).status as SWEBenchEvalStatus
    const later = plan(anObservation({ status: done }))
    expect(later).toEqual({ writes: [], status: done, events: [] })
  })

  it('waits for a store that does not answer, and does not know yet whether it is complete', () => {
    const seen = anObservation({ consulted: false, storeTrouble: 'the store is away' })
    expect(plan(seen).status).toMatchObject({ state: 'StoreUnavailable' })
    expect(JSON.stringify(plan(seen).status)).toContain('"type":"Complete","status":"Unknown"')
  })

  it('plans the same from the same observation, and nothing more once it is done', () => {
    const seen = anObservation({ prepared, rows: rows('R', 'U', 'A') })
    expect(plan(seen)).toEqual(plan(seen))
  })
})

describe('a dry run', () => {
  const dryRun = { submitted: 4, checked: 2, ok: 1, doesNotParse: 0, doesNotApply: 1, doesNotCompile: 0, overLimits: 0, emptyPatches: 1, unchecked: 1 }
  const checked: ReportVerdict = { kind: 'ReportEval', exitCode: 0, reason: 'Completed', message: '', dryRun, artifacts: [] }
  const ofDryRun = (changes: Changes = {}) => anObservation({ spec: { dryRun: true }, prepared, rows: rows('K', 'Q', 'X'), ...changes })
  const readyOf = (seen: Observed) => (plan(seen).status as SWEBenchEvalStatus).conditions?.find(({ type }) => type === 'Ready')?.message

  it('counts what is the matter with predictions while they are looked at, and says that no test runs', () => {
    const seen = ofDryRun({ rows: rows('B', 'S'), progress: { total: 3, settled: 2, running: 1, lost: 0, isDone: false } })
    expect(plan(seen).status).toMatchObject({ state: 'Running', dryRun: { submitted: 4, checked: 2, ok: 0, doesNotParse: 1, doesNotCompile: 1, emptyPatches: 1 } })
    expect(readyOf(seen)).toBe('2 of 3 predictions are checked without running a test, 1 are at work.')
  })

  it('ends with its counts and nothing that looks like a score', () => {
    const status = plan(ofDryRun({ reported: checked })).status
    expect(status).toMatchObject({ state: 'Succeeded', dryRun })
    expect(Object.keys(status ?? {}).filter((field) => ['counts', 'resolvedRate', 'integrity', 'passAtK', 'repositories'].includes(field))).toEqual([])
    expect(readyOf(ofDryRun({ reported: checked }))).toBe('Dry run: 1 of 4 predictions apply and compile; no test was run. The others: 1 not applying, 1 empty, 1 lost to the cluster.')
  })

  it('that took too long or too much to apply is none that was checked', () => {
    expect(plan(ofDryRun({ rows: rows('K', 'T', 'M') })).status).toMatchObject({ dryRun: { checked: 1, ok: 1, overLimits: 2 } })
  })

  it('is reported with what was found of each', () => {
    const results = plan(ofDryRun()).writes.flatMap((write) => (write.op === 'create' && write.object.kind === 'ConfigMap' ? [JSON.parse((write.object as { data?: Record<string, string> }).data?.['results.json'] ?? '')] : []))
    expect(results).toMatchObject([{ rows: [{ ordinal: 0, state: 'Checked', reason: 'Ok' }, { ordinal: 1, state: 'Checked', reason: 'DoesNotApply' }, { ordinal: 2, state: 'Incomplete' }] }])
  })

  it('tells what was found from its report alone where nothing else is left', () => {
    const seen = anObservation({ spec: { dryRun: true }, reported: checked })
    expect(plan(seen).status).toMatchObject({ state: 'Succeeded', dryRun })
  })

  it('is nobody to compare with', () => {
    const done = { conditions: [{ type: 'Complete', status: 'True', reason: 'Any', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }], artifacts: [{ name: 'results.jsonl', uri: 's3://swe/x', sha256: '0'.repeat(64), sizeBytes: 1, createdTime: '2026-01-01T00:00:00Z' }] } as const
    const other: SWEBenchEval = { ...ofDryRun({ status: done }).evaluation, metadata: { namespace: 'team', name: 'dry', uid: 'u-2' } }
    const text = JSON.stringify(plan(anObservation({ spec: { compareWith: ['dry'] }, prepared, rows: rows('R', 'U', 'X'), others: [other] })).writes)
    expect(text).toContain('it is a dry run, which resolves nothing')
    expect(text).not.toContain('s3://swe/x')
  })
})

describe('sandboxes', () => {
  const isolationIn = (seen: Observed): unknown => (plan(seen).status as SWEBenchEvalStatus).conditions?.find(({ type }) => type === 'SandboxIsolated')

  it('are probed while the preparation runs, by a pod that tries to get out and one that is there to be reached', () => {
    expect(written(anObservation({ probes: [] }))).toEqual(['apply ConfigMap lite-inputs-eval', 'apply NetworkPolicy lite-eval-sandboxes', 'create Job lite-prepare-eval-1', 'create Job lite-eval-listener-1'])
    expect(written(anObservation({ probes: [], listeners: [aListener('10.1.2.3')] }))).toContain('create Job lite-eval-probe-1')
  })

  it('are not let in before it is known whether they are closed', () => {
    const seen = anObservation({ prepared, probes: [], listeners: [aListener()] })
    expect([stateOf(seen), isolationIn(seen)]).toEqual(['Probing', expect.objectContaining({ status: 'Unknown', reason: 'NotProbed' })])
  })

  it('that are closed grade, and the pod that was there to be reached goes', () => {
    const seen = anObservation({ prepared, listeners: [aListener('10.1.2.3')] })
    expect([stateOf(seen), isolationIn(seen)]).toEqual(['Running', expect.objectContaining({ status: 'True', reason: 'Closed' })])
    expect(written(seen)).toContain('remove')
  })

  it('that are open grade nothing, and it is said what they reach and what to do', () => {
    const seen = anObservation({ prepared, probes: probedBy(open) })
    expect([stateOf(seen), isolationIn(seen)]).toEqual(['NotIsolated', expect.objectContaining({ status: 'False', reason: 'Reached' })])
    expect(JSON.stringify(plan(seen).status)).toContain('reaches the internet. Use a network plug-in that enforces NetworkPolicy, such as Calico or Cilium, or accept it with spec.sandbox.isolation: BestEffort')
  })

  it('that are open grade where that is accepted, and the condition says so', () => {
    const seen = anObservation({ prepared, probes: probedBy(open), spec: { sandbox: { isolation: 'BestEffort' } } })
    expect([stateOf(seen), isolationIn(seen)]).toEqual(['Running', expect.objectContaining({ status: 'False' })])
  })

  it('are not probed again once it is known, whatever became of the pods', () => {
    const status = plan(anObservation({ prepared })).status as SWEBenchEvalStatus
    expect(stateOf(anObservation({ status, prepared, probes: [] }))).toBe('Running')
  })

  it('that cannot be probed grade only where open ones may too', () => {
    const broken: ProbeVerdict = { kind: 'Probe', exitCode: 64, reason: 'InvalidConfiguration', message: "The probe's environment: SWE_NETWORK" }
    const seen = (isolation: 'Required' | 'BestEffort') => anObservation({ prepared, probes: probedBy(broken), listeners: [aListener('10.1.2.3')], spec: { sandbox: { isolation } } })
    expect([stateOf(seen('Required')), stateOf(seen('BestEffort'))]).toEqual(['InvalidConfiguration', 'Running'])
  })
})
