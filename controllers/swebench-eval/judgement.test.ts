import { describe, expect, it } from 'vitest'
import type { Row } from '../../operator/fan-out/task.ts'
import type { ContainerStatus, Pod } from '../shared/kinds.ts'
import { judge, judgeStored, type Bench } from './judgement.ts'
import { rowOf } from './rows.ts'

const NOW = new Date('2026-01-01T01:00:00Z')
const unit = { ordinal: 3, attempt: 1 }
const bench: Bench = { now: NOW, infrastructureRetries: 2, pullTimeoutSeconds: 1800, earlier: [], flakeReruns: 0, isKnownFlaky: false, confirmResolved: false }

type State = NonNullable<ContainerStatus['state']>
type Sandbox = Readonly<{ grade?: State; test?: State; status?: Pod['status']; deleted?: true; scheduledAt?: string }>

/** A sandbox on a node; its containers as given. */
function aSandbox({ grade, test, status, deleted, scheduledAt = '2026-01-01T00:59:00Z' }: Sandbox = {}): Pod {
  return {
    apiVersion: 'v1', kind: 'Pod',
    metadata: { namespace: 'team', name: 'eval-0b5e7c1a-3-1', ...(deleted ? { deletionTimestamp: '2026-01-01T00:59:30Z' } : {}) },
    spec: { nodeName: 'node-1' },
    status: {
      phase: 'Running',
      conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: scheduledAt }],
      containerStatuses: [{ name: 'grade', state: grade ?? { running: {} } }, { name: 'test', state: test ?? { running: {} } }],
      ...status,
    },
  }
}

const ended = (message?: object, exitCode = 0, reason?: string): State => ({
  terminated: { exitCode, startedAt: '2026-01-01T00:59:10Z', finishedAt: '2026-01-01T00:59:40Z', ...(message === undefined ? {} : { message: JSON.stringify(message) }), ...(reason === undefined ? {} : { reason }) },
})
const said = (outcome: string, reason = 'Completed'): State => ended({ kind: 'Grade', exitCode: outcome === 'NotGraded' ? 75 : 0, reason, message: 'So it went.', outcome, testSeconds: 12.4 })
const codeOf = (pod: Pod, more: Partial<Bench> = {}): string | undefined => judge(unit, pod, { ...bench, ...more })?.row.code
const earlier = (...codes: readonly Parameters<typeof rowOf>[1][]): readonly Row[] => codes.map((code, index) => rowOf({ ordinal: 3, attempt: index + 1 }, code, 1))

describe('a verdict of the grading container', () => {
  it.each([
    ['Resolved', 'Completed', 'R'],
    ['Unresolved', 'Completed', 'U'],
    ['Error', 'PatchApplyFailed', 'A'],
    ['Error', 'TimedOut', 'T'],
    ['Error', 'NoTestOutput', 'E'],
    ['Error', 'LogTooLarge', 'E'],
    ['NotGraded', 'StoreUnavailable', 'i'],
    ['Checked', 'Ok', 'K'],
    ['Checked', 'DoesNotParse', 'B'],
    ['Checked', 'DoesNotApply', 'Q'],
    ['Checked', 'DoesNotCompile', 'S'],
  ])('%s (%s) is %s', (outcome, reason, code) => {
    expect(codeOf(aSandbox({ grade: said(outcome, reason) }))).toBe(code)
  })

  it('counts as soon as it is there, whatever the tests still do', () => {
    expect(judge(unit, aSandbox({ grade: said('Resolved') }), bench)).toEqual({ row: { ordinal: 3, attempt: 1, code: 'R', final: true, seconds: 12 } })
  })

  it('is not believed where the kubelet saw the tests run out of memory, unless they passed all the same', () => {
    const killed = ended(undefined, 0, 'OOMKilled')
    expect(codeOf(aSandbox({ grade: said('Unresolved'), test: killed }))).toBe('m')
    expect(codeOf(aSandbox({ grade: said('Resolved'), test: killed }))).toBe('R')
  })

  it('stands in the end, with the reason beside it, where they run out of memory again', () => {
    const killed = ended(undefined, 0, 'OOMKilled')
    const second = (outcome: string) => judge({ ordinal: 3, attempt: 2 }, aSandbox({ grade: said(outcome), test: killed }), { ...bench, earlier: earlier('m') })?.row.code
    expect([second('Unresolved'), second('Error')]).toEqual(['O', 'M'])
  })
})

describe('what the cluster did', () => {
  it.each<[string, Sandbox]>([
    ['an eviction for the node', { status: { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' } }],
    ['a deletion', { deleted: true, status: { phase: 'Failed' } }],
    ['a grading container that crashed', { grade: ended(undefined, 1) }],
    ['a grading container that was killed for memory', { grade: ended(undefined, 137, 'OOMKilled'), test: { running: {} } }],
    ['an image in which nothing can be started', { test: ended(undefined, 128, 'StartError') }],
    ['an image that takes longer than it may', { test: { waiting: { reason: 'ContainerCreating' } }, scheduledAt: '2026-01-01T00:00:00Z' }],
    ['a registry that asked for patience until the end', { test: { waiting: { reason: 'ImagePullBackOff', message: '429 Too Many Requests' } }, scheduledAt: '2026-01-01T00:00:00Z' }],
  ])('is tried again and never the patch’s fault: %s', (_, sandbox) => {
    const judgement = judge(unit, aSandbox(sandbox), bench)
    expect(judgement?.row).toMatchObject({ code: 'i', final: false })
  })

  it('ends without a verdict once its own budget is used up, and says so', () => {
    const lost = aSandbox({ status: { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' } })
    expect(judge({ ordinal: 3, attempt: 3 }, lost, { ...bench, earlier: earlier('i', 'i') })?.row).toMatchObject({ code: 'X', final: true })
  })

  it('waits longer with each further loss', () => {
    const lost = aSandbox({ deleted: true, status: { phase: 'Failed' } })
    const waits = [1, 2].map((attempt) => judge({ ordinal: 3, attempt }, lost, { ...bench, earlier: earlier('i', 'i').slice(0, attempt - 1) })?.retryAfterMs)
    expect(waits).toEqual([0, 10_000])
  })

  it.each([
    ['manifest unknown', 'ErrImagePull'],
    ['rpc error: code = NotFound desc = failed to pull: not found', 'ImagePullBackOff'],
    ['', 'InvalidImageName'],
  ])('is final where the image does not exist: %s', (message, reason) => {
    expect(codeOf(aSandbox({ test: { waiting: { reason, message } } }))).toBe('N')
  })

  it('is nothing yet while the pod waits for a node, is pulled or works', () => {
    expect(codeOf(aSandbox())).toBeUndefined()
    expect(codeOf(aSandbox({ test: { waiting: { reason: 'ImagePullBackOff', message: '429 Too Many Requests' } } }))).toBeUndefined()
    expect(codeOf(aSandbox({ status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', lastTransitionTime: '2025-12-31T00:00:00Z' }], containerStatuses: [] } }))).toBeUndefined()
  })
})

describe('a patch that exceeds its own limits', () => {
  const full = aSandbox({ status: { phase: 'Failed', reason: 'Evicted', message: 'Container test exceeded its local ephemeral storage limit "10Gi". ' } })
  const killed = aSandbox({ status: { phase: 'Failed' }, test: ended(undefined, 137, 'OOMKilled') })

  it('gets a second chance, and has failed then', () => {
    expect(codeOf(full)).toBe('d')
    expect(judge({ ordinal: 3, attempt: 2 }, full, { ...bench, earlier: earlier('d') })?.row).toMatchObject({ code: 'D', final: true })
    expect(codeOf(killed)).toBe('m')
    expect(judge({ ordinal: 3, attempt: 2 }, killed, { ...bench, earlier: earlier('m') })?.row).toMatchObject({ code: 'M', final: true })
  })

  it('does not use up what is meant for infrastructure', () => {
    expect(judge({ ordinal: 3, attempt: 4 }, full, { ...bench, earlier: earlier('i', 'i', 'i') })?.row.code).toBe('d')
  })
})

describe('a pod that is gone', () => {
  it('counts as what its verdict in the store says, or as lost', () => {
    expect(judgeStored(unit, { kind: 'Grade', exitCode: 0, reason: 'Completed', message: '', outcome: 'Resolved', testSeconds: 3 }, bench).row.code).toBe('R')
    expect(judgeStored(unit, undefined, bench).row.code).toBe('i')
  })
})
