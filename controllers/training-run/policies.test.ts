import { describe, expect, it } from 'vitest'
import { ended, evidence, outcome } from '../../test/world/planned.ts'
import { afterNoon, aRecord, anObservation, completed, failed, preempted } from '../../test/world/training-run.ts'
import { plan } from './plan.ts'

const running = { kind: 'Running' } as const
const none = { kind: 'None' } as const

describe('a new run', () => {
  it('has its data prepared first', () => {
    const seen = anObservation()
    expect(outcome(seen)).toMatchObject({ state: 'Preparing', writes: ['create Job sft-prepare-1'] })
  })

  it('writes its inputs before the Job that mounts them', () => {
    const { inputs: _, ...seen } = anObservation()
    expect(plan(seen).writes.map(({ op }) => op)).toEqual(['apply', 'create'])
  })

  it('waits for the certificate that its pods will trust', () => {
    const { caBundle: _, ...seen } = anObservation()
    expect(plan(seen)).toMatchObject({ writes: [], again: 2, status: { state: 'Pending' } })
  })

  it('waits for the store, and does not claim to know that it was never finished', () => {
    const seen = anObservation().with({ consulted: false, storeTrouble: 'the artifact store cannot be reached' })
    expect(outcome(seen)).toMatchObject({ state: 'StoreUnavailable', writes: [], again: 15 })
    expect(plan(seen).status).toMatchObject({ conditions: expect.arrayContaining([expect.objectContaining({ type: 'Complete', status: 'Unknown' })]) })
  })

  it('does not train again when its result lies in the store', () => {
    const seen = anObservation().with({ result: completed(2) })
    expect(outcome(seen)).toMatchObject({ state: 'Succeeded', writes: [] })
    expect(plan(seen).status).toMatchObject({ artifacts: [{ uri: 's3://swe-operator/team/run-uid/result/a2/adapter/adapter_model.safetensors', metadata: { attempt: '2', step: '60' } }] })
  })
})

describe('a reference that can never be followed', () => {
  const foreign = { uri: 's3://other/models/tiny' }

  it('fails the run before anything is created, naming the field and the remedy', () => {
    const { state, message, writes } = outcome(anObservation({ model: { s3: foreign } }))
    expect({ state, writes }).toEqual({ state: 'InvalidReference', writes: [] })
    expect(message).toContain('spec.model.s3.uri s3://other/models/tiny')
    expect(message).toContain('spec.model.s3.secretRef')
  })

  it('is followed with credentials of its own', () => {
    expect(outcome(anObservation({ model: { s3: { ...foreign, secretRef: { name: 'key' } } } })).state).toBe('Preparing')
  })

  it.each(['s3://swe-operator/team-b/data.jsonl', 's3://swe-operator/teamdata.jsonl'])('does not mistake %s for the own prefix', (uri) => {
    expect(outcome(anObservation({ data: { files: { s3: { uri }, format: 'Messages' } } })).message).toContain('spec.data.files.s3.uri')
    expect(outcome(anObservation({ method: 'DPO', data: { preferences: { s3: { uri } } } })).message).toContain('spec.data.preferences.s3.uri')
    expect(outcome(anObservation({ data: { trajectories: { s3: { uri } } } })).message).toContain('spec.data.trajectories.s3.uri')
  })
})

describe('an attempt', () => {
  it('starts as soon as the data is ready', () => {
    expect(outcome(anObservation().withData())).toMatchObject({ state: 'Starting', writes: ['create Job sft-a1'] })
  })

  it('is supervised, and nothing else is started beside it', () => {
    const seen = anObservation().withData().attempt(1, running)
    expect(outcome(seen)).toMatchObject({ state: 'Running', writes: [], message: expect.stringContaining('has not reported yet') })
  })

  it('shows where it is', () => {
    const progress = { attempt: 1, step: 35, totalSteps: 60, percent: 58, updatedTime: '2026-01-01T12:00:00Z' }
    const seen = anObservation().withData().attempt(1, running).with({ progress })
    expect(outcome(seen).message).toBe('Attempt 1 is at step 35 of 60, 58 %.')
    expect(outcome(seen.later(301)).message).toContain('Its last report came at 2026-01-01T12:00:00Z.')
  })

  it('whose pod does not go names what a person can do', () => {
    const seen = anObservation().withData().attempt(1, { kind: 'Running', deleting: true })
    expect(outcome(seen).message).toBe('Attempt 1 ends: pod sft-a1-xyz12 is being deleted.')
    expect(outcome(seen.later(61)).message).toContain('node-1 has not confirmed the end of pod sft-a1-xyz12; if that node is lost for good, delete the Node')
    expect(outcome(seen.later(61).suspended()).message).toContain('if that node is lost for good, delete the Node')
    expect(outcome(anObservation().withData().attempt(1, running).later(61).suspended()).message).not.toContain('lost')
  })

  it('gets its inputs back when somebody deleted them', () => {
    const { inputs: _, ...seen } = anObservation().withData().attempt(1, running)
    expect(plan(seen).writes).toMatchObject([{ op: 'apply', object: { kind: 'ConfigMap' } }])
  })

  it.each([
    ['an image that cannot be pulled', { kind: 'Waiting', reason: 'ImagePullBackOff', message: 'not found' } as const, undefined, 'Starting', 'ImagePullBackOff: not found'],
    ['a missing Secret', { kind: 'Waiting', reason: 'CreateContainerConfigError', message: 'secret "key" not found' } as const, undefined, 'WaitingForReference', 'secret "key" not found'],
    ['a refusal by admission', none, 'Error creating: pods "sft-a1-x7k2p" is forbidden: exceeded quota', 'Starting', 'pods "sft-a1-…" is forbidden: exceeded quota'],
  ])('says what keeps it from starting: %s', (...[, pod, warning, state, words]) => {
    const seen = anObservation().withData().attempt(1, pod).with(warning === undefined ? {} : { warning })
    expect(outcome(seen)).toMatchObject({ state, message: expect.stringContaining(words), again: 15 })
    expect(outcome(seen.later(600))).toMatchObject({ state: 'CannotStart', message: expect.stringContaining(words), writes: [] })
  })

  it('waits for a node as long as it takes', () => {
    const waiting = { kind: 'Ended', jobIsLive: true, status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', message: '0/1 nodes: Insufficient memory' }] } } as const
    expect(outcome(anObservation().withData().attempt(1, waiting).later(6000))).toMatchObject({ state: 'Starting', message: expect.stringContaining('Insufficient memory') })
  })

  it('is recorded before its pod may go and before the next one starts', () => {
    const seen = anObservation().withData().attempt(1, ended(preempted(1, { from: 0, to: 35 })), aRecord(1, 'Running'))
    expect(outcome(seen)).toMatchObject({ state: 'Retrying', writes: [] })
    expect(plan(seen).status).toMatchObject({ attempts: [{ number: 1, state: 'Preempted', reason: 'Preempted', exitCode: 75, lastStep: 35 }] })
  })

  it('lets its pod go once that is recorded, and the next one continues', () => {
    const record = aRecord(1, 'Preempted', { lastStep: 35 })
    const seen = anObservation().withData().attempt(1, ended(preempted(1, { from: 0, to: 35 })), record)
    expect(outcome(seen)).toMatchObject({ state: 'Starting', writes: ['release Pod sft-a1-xyz12', 'create Job sft-a2'] })
  })

  it('completes the run', () => {
    const seen = anObservation().withData().recorded(aRecord(1, 'Preempted', { lastStep: 35 })).attempt(2, ended(completed(2, 35)), aRecord(2, 'Running'))
    expect(outcome(seen)).toMatchObject({
      state: 'Succeeded', writes: [],
      message: 'Trained 60 steps in 2 attempts, loss 2.31 → 1.02; 1 artifact under s3://swe-operator/team/run-uid/result/.',
    })
  })

  it('never shares its time with a Job of another that is not finished', () => {
    const seen = anObservation().withData().attempt(1, { kind: 'Ended', jobIsLive: true, verdict: preempted(1, { from: 0, to: 5 }) }, aRecord(1, 'Running'))
    expect(outcome(seen)).toMatchObject({ state: 'Running', writes: [] })
  })
})

describe('how an attempt ended', () => {
  const terminated = (exitCode: number, reason = 'Error', message?: string) =>
    [{ name: 'train', state: { terminated: { exitCode, reason, ...(message === undefined ? {} : { message }) } } }]
  const disrupted = (reason: string) => [{ type: 'DisruptionTarget', status: 'True', reason, message: 'why' }]

  it.each([
    ['the program says so', ended(failed(1, 70, 'EngineFailed')), 'Failed', 'EngineFailed'],
    ['a child was killed for memory', evidence({ phase: 'Failed', containerStatuses: terminated(0, 'OOMKilled') }), 'Failed', 'HostOutOfMemory'],
    ['the kubelet evicted it', evidence({ phase: 'Failed', reason: 'Evicted' }), 'Preempted', 'Evicted'],
    ['its node refused it', evidence({ phase: 'Failed', reason: 'OutOfcpu', message: 'Node didn\'t have enough resource: cpu' }), 'Preempted', 'Preempted'],
    ['a proxy stands before it in the list', evidence({ phase: 'Failed', containerStatuses: [{ name: 'istio-proxy', state: { terminated: { exitCode: 0 } } }, { name: 'train', state: { terminated: { exitCode: 69 } } }] }), 'Failed', 'PeerLost'],
    ['a node was drained', evidence({ phase: 'Failed', conditions: disrupted('EvictionByEvictionAPI') }), 'Preempted', 'Preempted'],
    ['a node is gone', evidence({ phase: 'Failed', conditions: disrupted('DeletionByPodGC') }), 'Preempted', 'NodeLost'],
    ['somebody deleted the pod', evidence({ phase: 'Failed', containerStatuses: terminated(137) }, true), 'Preempted', 'Deleted'],
    ['the process was killed', evidence({ phase: 'Failed', containerStatuses: terminated(137) }), 'Failed', 'Crashed'],
    ['only the exit code is left', evidence({ phase: 'Failed', containerStatuses: terminated(69, 'Error', 'garbage {') }), 'Failed', 'PeerLost'],
    ['it says it is done and has nothing to show', evidence({ phase: 'Succeeded', containerStatuses: terminated(0, 'Completed', '') }), 'Failed', 'Crashed'],
  ])('is told from evidence: %s', (_what, pod, state, reason) => {
    const seen = anObservation().withData().attempt(1, pod, aRecord(1, 'Running'))
    expect(plan(seen).status).toMatchObject({ attempts: [{ number: 1, state, reason }] })
  })

  it('is told by the store when the pod is gone', () => {
    const seen = anObservation().withData().recorded(aRecord(1, 'Running'))
    const known = seen.with({ attempts: seen.attempts.map((attempt) => ({ ...attempt, verdict: preempted(1, { from: 0, to: 20 }) })) })
    expect(plan(known).status).toMatchObject({ attempts: [{ state: 'Preempted', lastStep: 20 }] })
  })

  it('stays open while the store cannot be asked', () => {
    const seen = anObservation().withData().recorded(aRecord(1, 'Running'))
    const unread = seen.with({ storeTrouble: 'the artifact store cannot be reached', attempts: seen.attempts.map((attempt) => ({ ...attempt, unread: true as const })) })
    expect(outcome(unread)).toMatchObject({ state: 'StoreUnavailable', writes: [] })
    expect(plan(unread).status).toMatchObject({ attempts: [{ state: 'Running' }] })
  })

  it('keeps the step that was reported last where no verdict was left', () => {
    const progress = { attempt: 1, step: 17, totalSteps: 60, percent: 28, updatedTime: '2026-01-01T12:00:00Z' }
    const seen = anObservation().withData().attempt(1, evidence({ phase: 'Failed', containerStatuses: terminated(137) }), aRecord(1, 'Running')).with({ progress })
    expect(plan(seen).status).toMatchObject({ attempts: [{ lastStep: 17 }] })
  })
})

describe('trying again', () => {
  it('waits longer after each failure of its own', () => {
    const seen = anObservation().withData().recorded(aRecord(1, 'Failed'), aRecord(2, 'Failed'))
    expect(outcome(seen)).toMatchObject({ state: 'Retrying', again: 20, writes: [], message: expect.stringContaining('Attempt 3 starts at 2026-01-01T12:00:20Z') })
    expect(outcome(seen.later(20)).writes).toEqual(['create Job sft-a3'])
  })

  it('does not wait after a preemption that lost nothing', () => {
    expect(outcome(anObservation().withData().recorded(aRecord(1, 'Preempted', { lastStep: 9 }))).writes).toEqual(['create Job sft-a2'])
  })

  it('ends after as many failures as retries allow, with the last words of the engine', () => {
    const seen = anObservation({ retries: { limit: 1 } }).withData().recorded(aRecord(1, 'Failed')).attempt(2, ended(failed(2, 70, 'EngineFailed')), aRecord(2, 'Running'))
    expect(outcome(seen)).toMatchObject({ state: 'Failed', writes: [], message: expect.stringContaining('spec.retries.limit is 1') })
    expect(outcome(seen).message).toContain('RuntimeError: it broke')
  })

  it('never follows an end that would be the same again', () => {
    const seen = anObservation().withData().attempt(1, ended(failed(1, 68, 'Diverged')), aRecord(1, 'Running'))
    expect(outcome(seen)).toMatchObject({ state: 'Diverged', writes: [] })
  })

  it('does not count preemptions, as long as one of five gets further', () => {
    const advancing = Array.from({ length: 9 }, (_, i) => aRecord(i + 1, 'Preempted', { lastStep: i + 1 }))
    expect(outcome(anObservation().withData().recorded(...advancing)).state).toBe('Starting')
    const stuck = Array.from({ length: 5 }, (_, i) => aRecord(i + 10, 'Preempted', { lastStep: 9 }))
    expect(outcome(anObservation().withData().recorded(...advancing, ...stuck))).toMatchObject({ state: 'Failed', message: expect.stringContaining('five in a row got no further') })
  })
})

describe('a suspended run', () => {
  it('creates nothing', () => {
    expect(outcome(anObservation().suspended())).toMatchObject({ state: 'Suspended', writes: [] })
  })

  it('is not called suspended before the store has told whether it is finished', () => {
    const { consulted: _, ...seen } = anObservation().suspended()
    expect(plan({ ...seen, consulted: false, storeTrouble: 'the artifact store cannot be reached' }).status).toMatchObject({ state: 'StoreUnavailable' })
  })

  it('stops its Job, which lets the pod write a checkpoint', () => {
    const seen = anObservation().withData().attempt(1, running, aRecord(1, 'Running')).suspended()
    expect(outcome(seen)).toMatchObject({ state: 'Suspending', writes: ['remove Job sft-a1'] })
  })

  it('stops preparing, too', () => {
    expect(outcome(anObservation().preparing(running).suspended())).toMatchObject({ state: 'Suspending', writes: ['remove Job sft-prepare-1'] })
  })

  it('records the attempt as suspended once its pod has ended', () => {
    const seen = anObservation().withData().attempt(1, ended(preempted(1, { from: 0, to: 12 })), aRecord(1, 'Running')).suspended()
    expect(outcome(seen)).toMatchObject({ state: 'Suspended', message: expect.stringContaining('at step 12') })
    expect(plan(seen).status).toMatchObject({ attempts: [{ state: 'Suspended', lastStep: 12 }] })
  })

  it('is still suspending when it is resumed before its pod has ended, and nothing is held against it', () => {
    const going = { ...anObservation().withData().attempt(1, { kind: 'Running', deleting: true }, aRecord(1, 'Running')).inState('Suspending') }
    const [{ job: _, ...attempt } = { number: 1, pods: [] }] = going.attempts
    const seen = going.with({ attempts: [attempt] })
    expect(outcome(seen)).toMatchObject({ state: 'Suspending', writes: [], message: expect.stringContaining('the next attempt follows at once') })
  })

  it('is complete when its last step came first', () => {
    const seen = anObservation().withData().attempt(1, ended(completed(1)), aRecord(1, 'Running')).suspended()
    expect(outcome(seen).state).toBe('Succeeded')
  })

  it('continues at once when it is resumed, whatever the retries', () => {
    const seen = anObservation({ retries: { limit: 0 } }).withData().recorded(aRecord(1, 'Suspended', { lastStep: 12 }))
    expect(outcome(seen)).toMatchObject({ state: 'Starting', writes: ['create Job sft-a2'] })
  })
})

describe('a finished run', () => {
  it('stays as it is, whatever is gone', () => {
    const seen = anObservation().inState('Succeeded', { observedGeneration: 1 })
    expect(plan(seen)).toEqual({ writes: [], status: seen.run.status, events: [] })
  })

  it('shows that it has seen a change of its specification', () => {
    const seen = anObservation().inState('Succeeded', { observedGeneration: 1 }).suspended()
    expect(plan(seen).status).toMatchObject({ state: 'Succeeded', observedGeneration: 2, conditions: expect.arrayContaining([expect.objectContaining({ observedGeneration: 2 })]) })
  })

  it('lets go of what it has in the cluster once that is wanted, and of nothing before', () => {
    const leftovers = [{ apiVersion: 'batch/v1', kind: 'Job', namespace: 'team', name: 'sft-a1' }]
    const after = (minutes: number) => outcome(anObservation({ cleanup: { afterFinished: '1h' } }).inState('Succeeded').with({ leftovers, now: afterNoon(60 * minutes) }))
    expect([after(59).writes, after(59).again, after(60).writes]).toEqual([[], 60, ['remove Job sft-a1']])
  })

  it('still lets its pods go', () => {
    const seen = anObservation().attempt(1, ended(completed(1))).inState('Succeeded')
    expect(outcome(seen).writes).toEqual(['release Pod sft-a1-xyz12'])
  })
})

describe('a run that is being deleted', () => {
  it('lets all its pods go and creates nothing', () => {
    const seen = anObservation().withData().attempt(1, running, aRecord(1, 'Running'))
    const going = seen.with({ run: { ...seen.run, metadata: { ...seen.run.metadata, deletionTimestamp: '2026-01-01T12:00:00Z' } } })
    expect(plan(going)).toMatchObject({ writes: [{ op: 'release', ref: { name: 'sft-a1-xyz12' } }], events: [] })
    expect(plan(going).status).toBeUndefined()
  })

  it('leaves no pod to a successor of its name', () => {
    const stray = anObservation().attempt(1, running).attempts[0]?.pods ?? []
    expect(outcome(anObservation().with({ strays: stray })).writes).toContain('release Pod sft-a1-xyz12')
  })
})
