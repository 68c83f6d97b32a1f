import { describe, expect, it } from 'vitest'
import { aPrepareVerdict, aRecord, anObservation, completed, failed, preempted, published, type Observation } from '../../test/world/training-run.ts'
import { StoreError } from '../store/error.ts'
import { consult, type VerdictStore } from './verdict-store.ts'

/** A store that holds these documents, and what it was asked for. */
function storeWith(documents: Readonly<Record<string, unknown>>) {
  const asked: string[] = []
  const answer = async (key: string): Promise<unknown> => {
    asked.push(key)
    const document = documents[key]
    if (document instanceof Error) throw document
    return document
  }
  const store: VerdictStore = {
    dataManifest: () => answer('data'),
    attemptVerdict: (_run, attempt) => answer(`attempt ${attempt}`),
    resultManifest: () => answer('result'),
    publishManifest: () => answer('publish'),
  }
  return { store, asked }
}

const unreachable = new StoreError('Unreachable', 'connection refused')
const never = new AbortController().signal

function look(seen: Observation, store: VerdictStore) {
  return consult(seen.run, { attempts: seen.attempts, preparations: seen.preparations, publications: seen.publications }, store, never)
}

const visited = anObservation().inState('Preparing')

describe('the store', () => {
  it('is asked on the first visit whether the run was finished or prepared before', async () => {
    const { store, asked } = storeWith({})
    expect(await look(anObservation(), store)).toMatchObject({ consulted: true, attempts: [] })
    expect(asked).toEqual(['result', 'data'])
  })

  it('is left alone while pods speak for themselves', async () => {
    const { store, asked } = storeWith({})
    await look(visited.preparing({ kind: 'Running' }), store)
    await look(visited.preparing({ kind: 'Ended', verdict: aPrepareVerdict() }).attempt(1, { kind: 'Running' }), store)
    await look(visited.preparing({ kind: 'Ended', verdict: aPrepareVerdict() }).attempt(1, { kind: 'Ended', verdict: preempted(1, { from: 0, to: 5 }) }), store)
    expect(asked).toEqual([])
  })

  it('is left alone once the run is finished', async () => {
    const { store, asked } = storeWith({})
    await look(anObservation().recorded(aRecord(1, 'Running')).inState('Succeeded'), store)
    expect(asked).toEqual([])
  })

  it('is left alone while the run is being deleted: a store that is away must not hold its pods', async () => {
    const { store, asked } = storeWith({ result: unreachable })
    const { run, ...seen } = visited.recorded(aRecord(1, 'Running'))
    const going = { ...run, metadata: { ...run.metadata, deletionTimestamp: '2026-01-01T12:00:00Z' } }
    await consult(going, { attempts: seen.attempts, preparations: seen.preparations, publications: [] }, store, never)
    expect(asked).toEqual([])
  })

  it('tells how an attempt ended whose pod is gone', async () => {
    const { store } = storeWith({ 'attempt 1': preempted(1, { from: 0, to: 20 }), data: { verdict: aPrepareVerdict() } })
    expect(await look(visited.recorded(aRecord(1, 'Running')), store)).toMatchObject({ attempts: [{ verdict: { reason: 'Preempted', lastStep: 20 } }] })
  })

  it('does not let the word of an earlier pod of the attempt explain the end of its last', async () => {
    const silent = visited.withData().attempt(1, { kind: 'Ended' })
    const uid = silent.attempts[0]?.pods[0]?.metadata.uid
    const told = async (podUid: string | undefined) => {
      const { store } = storeWith({ 'attempt 1': { ...preempted(1, { from: 0, to: 20 }), podUid } })
      return (await look(silent, store)).attempts[0]?.verdict?.lastStep
    }
    expect([await told('of an earlier pod'), await told(uid)]).toEqual([undefined, 20])
  })

  it('tells that an attempt had finished when it was killed after its last write', async () => {
    const { store } = storeWith({ result: { verdict: completed(1) } })
    expect(await look(visited.recorded(aRecord(1, 'Running')), store)).toMatchObject({ result: { attempt: 1 }, attempts: [{ verdict: { exitCode: 0 } }] })
  })

  it('completes the list of artifacts, which a termination message may cut', async () => {
    const { store, asked } = storeWith({ result: { verdict: completed(1) } })
    const short = { ...completed(1), artifacts: [] }
    expect(await look(visited.withData().attempt(1, { kind: 'Ended', verdict: short }), store)).toMatchObject({ result: { artifacts: [{ sizeBytes: 4096 }] } })
    expect(asked).toContain('result')
  })

  it('remembers the attempts of a run that lost its status, across those that left nothing', async () => {
    const { store } = storeWith({ data: {}, 'attempt 1': preempted(1, { from: 0, to: 5 }), 'attempt 4': preempted(4, { from: 5, to: 9 }) })
    expect((await look(anObservation(), store)).attempts.map(({ number }) => number)).toEqual([1, 4])
  })

  it('is asked while a result is published for what a pod that is gone has published, and for nothing else', async () => {
    const hub = { repo: 'team/tuned', tokenSecretRef: { name: 'hub' } }
    const trained = anObservation({ publish: { hub } }).recorded(aRecord(1, 'Completed')).inState('Publishing').preparing({ kind: 'Ended', verdict: aPrepareVerdict() })
    const { store, asked } = storeWith({ publish: { verdict: published() } })
    await look(trained.publishing({ kind: 'Running' }), store)
    expect(asked).toEqual([])
    expect(await look(trained.publishing({ kind: 'Ended' }), store)).toMatchObject({ published: { revision: 'c'.repeat(40) } })
    expect(asked).toEqual(['publish'])
  })

  it('leaves what it cannot tell now for later', async () => {
    const { store } = storeWith({ result: unreachable })
    expect(await look(visited.recorded(aRecord(1, 'Running')), store)).toMatchObject({
      consulted: true, attempts: [{ unread: true }], storeTrouble: 'the artifact store cannot be reached: connection refused',
    })
    expect(await look(anObservation(), store)).toMatchObject({ consulted: false })
  })

  it('is asked before the next try of a program that could not reach it', async () => {
    const { store } = storeWith({ result: unreachable, data: unreachable })
    const lost = failed(1, 72, 'StoreUnavailable')
    expect(await look(visited.withData().attempt(1, { kind: 'Ended', verdict: lost }), store)).toMatchObject({ storeTrouble: unreachable.message })
    expect(await look(visited.withData().recorded(aRecord(1, 'Preempted', { reason: 'StoreUnavailable' })), store)).toMatchObject({ storeTrouble: unreachable.message })
    expect(await look(visited.preparing({ kind: 'Ended', verdict: { ...aPrepareVerdict(), exitCode: 72, reason: 'StoreUnavailable' } }), store)).toMatchObject({ storeTrouble: unreachable.message })
  })

  it('does not hold a run up with a document that can never be read', async () => {
    const { store } = storeWith({ 'attempt 1': new StoreError('Malformed', 'not JSON'), data: {} })
    const { storeTrouble, attempts } = await look(visited.recorded(aRecord(1, 'Running')), store)
    expect({ storeTrouble, verdict: attempts[0]?.verdict, unread: attempts[0]?.unread }).toEqual({})
  })
})
