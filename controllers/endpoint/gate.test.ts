import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { TrainingRun } from '../../crds/training-run.ts'
import type { Pod } from '../shared/kinds.ts'
import { aPodOf, aRun, openStageWithRun, tokenOf, tokenWith, type Ask, type EndpointStage } from '../testing/endpoint-stage.ts'

const BASE = '/v1alpha1/namespaces/team-a/trainingruns/tiny'
const STATUS = `${BASE}/attempts/1/status`
const POST_STATUS: Ask = { method: 'POST', body: { trainerStatus: { progressPercentage: 10, metrics: [{ name: 'current_step', value: '1' }, { name: 'total_steps', value: '10' }] } } }

let stage: EndpointStage
let run: TrainingRun
let pod: Pod
let token: string

const listed = (changes: Ask = {}) => stage.ask(`${BASE}/objects?prefix=`, { token, ...changes })
const refusedAs = (code: string): object => ({ body: { error: { code, message: expect.any(String) } } })

beforeEach(async () => {
  ({ stage, run, pod, token } = await openStageWithRun())
})
afterEach(() => stage.close())

describe('who may pass', () => {
  it('is a live pod of the run with a token for that run', async () => {
    expect(await listed()).toEqual({ status: 200, body: { objects: [] } })
  })

  it.each([
    ['no token', () => undefined],
    ['something that is no token', () => 'guess'],
    ['a very long token', () => `a.${'b'.repeat(9000)}.c`],
    ['a token for the API server', () => tokenWith({ audience: 'https://kubernetes.default.svc', username: 'system:serviceaccount:team-a:default', pod: { name: 'tiny-a1-x', uid: 'uid-of-tiny-a1-x' } })],
    ['a token for another run', () => tokenOf(aRun('team-a', 'other', 'u2'), pod)],
    ['a token for an earlier run of that name', () => tokenOf(aRun('team-a', 'tiny', 'u0'), pod)],
    ['a token of a person', () => tokenWith({ audience: 'swe-operator.dev/trainingruns/u1', username: 'admin' })],
    ['a service account token that belongs to no pod', () => tokenWith({ audience: 'swe-operator.dev/trainingruns/u1', username: 'system:serviceaccount:team-a:default' })],
  ])('is not %s', async (_, made) => {
    const offered = made()
    const answer = await stage.ask(`${BASE}/objects?prefix=`, offered === undefined ? {} : { token: offered })
    expect(answer).toMatchObject({ status: 401, ...refusedAs('Unauthenticated') })
  })

  it.each([
    ['a pod of another namespace', () => tokenOf(run, pod, 'team-b')],
    ['a pod that has no label of the run', () => {
      stage.cachedPods.set('team-a/stranger', { ...aPodOf(aRun('team-a', 'x', 'u9'), 'stranger', 1) })
      return tokenOf(run, aPodOf(run, 'stranger', 1))
    }],
    ['a pod that is gone', () => tokenOf(run, aPodOf(run, 'gone', 1))],
    ['a predecessor of the same name', () => tokenOf(run, { ...pod, metadata: { ...pod.metadata, uid: 'before' } })],
    ['a pod that succeeded', () => {
      stage.cachedPods.set('team-a/tiny-a1-x', { ...pod, status: { phase: 'Succeeded' } })
      return token
    }],
    ['a pod that failed', () => {
      stage.cachedPods.set('team-a/tiny-a1-x', { ...pod, status: { phase: 'Failed' } })
      return token
    }],
  ])('is not %s', async (_, made) => {
    expect(await listed({ token: made() })).toMatchObject({ status: 403, ...refusedAs('PodNotAllowed') })
  })

  it('includes a pod that is being deleted: it still writes its last checkpoint', async () => {
    stage.cachedPods.set('team-a/tiny-a1-x', { ...pod, spec: { nodeName: 'n1' }, metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } })
    expect((await listed()).status).toBe(200)
  })

  it('includes a pod that the cache does not show yet', async () => {
    stage.cachedPods.clear()
    stage.livePods.set('team-a/tiny-a1-x', pod)
    expect((await listed()).status).toBe(200)
  })

  it('is nobody where there is no such run', async () => {
    const path = '/v1alpha1/namespaces/team-a/trainingruns/never/objects?prefix='
    expect(await stage.ask(path, { token: 'e30.e30.c2ln' })).toMatchObject({ status: 404, ...refusedAs('RunNotFound') })
    expect(await stage.ask(path, { token: tokenWith({ audience: 'swe-operator.dev/trainingruns/u1', username: 'admin' }) })).toMatchObject({ status: 401 })
    expect(await stage.ask(path, { token: tokenOf(run, pod, 'team-b') })).toMatchObject({ status: 403 })
    expect(stage.asked).toEqual([]) // a stranger makes nobody ask the API server for an object
  })

  it('is told at once when the run is gone or goes, and need not try again', async () => {
    stage.runs.set('team-a/tiny', { ...run, metadata: { ...run.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } })
    expect(await listed()).toMatchObject({ status: 410, ...refusedAs('RunGone') })
    stage.runs.clear()
    expect(await listed()).toMatchObject({ status: 410, ...refusedAs('RunGone') })
    expect(await stage.ask(STATUS, { ...POST_STATUS, token })).toMatchObject({ status: 410, ...refusedAs('RunGone') })
    stage.liveRuns.set('team-a/tiny', { ...run, metadata: { ...run.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } })
    expect(await listed()).toMatchObject({ status: 410, ...refusedAs('RunGone') })
  })

  it('includes a pod of a run that the cache does not show yet', async () => {
    stage.runs.clear()
    stage.liveRuns.set('team-a/tiny', run)
    expect((await listed()).status).toBe(200)
  })

  it('is not a pod of an earlier run where the cache does not show the present one', async () => {
    stage.runs.clear()
    stage.liveRuns.set('team-a/tiny', aRun('team-a', 'tiny', 'u2'))
    expect(await listed()).toMatchObject({ status: 401, ...refusedAs('Unauthenticated') })
  })

  it('is asked to come again while the API server cannot tell whether the run is gone', async () => {
    expect((await listed()).status).toBe(200) // its token is known now
    stage.runs.clear()
    stage.state.apiServer = 'Down'
    expect(await listed()).toMatchObject({ status: 503, ...refusedAs('NotReady') })
  })

  it.each([
    ['the caches are not synced', () => void (stage.state.synced = false)],
    ['the API server cannot check tokens', () => void (stage.state.apiServer = 'Down')],
  ])('is asked to come again while %s', async (_, arrange) => {
    arrange()
    expect(await listed()).toMatchObject({ status: 503, ...refusedAs('NotReady') })
  })

  it('is nobody when the API server ignores audiences', async () => {
    stage.state.apiServer = 'IgnoresAudiences'
    expect((await listed()).status).toBe(401)
  })

  it.each(['/v1alpha1/namespaces/team-a%2Ftiny/trainingruns/x/objects?prefix=', '/v1alpha1/namespaces/../trainingruns/tiny/objects?prefix=', '/v1alpha1/namespaces/team-a/trainingruns/%2E%2E/objects', '/healthz', '/'])('finds nothing at %s', async (path) => {
    expect((await stage.ask(path, { token })).status).toBe(404)
  })
})

describe('a token', () => {
  it('is checked once a minute, its pod each time', async () => {
    await Promise.all([listed(), listed(), listed()])
    expect(stage.reviewed).toHaveLength(1)
    stage.cachedPods.delete('team-a/tiny-a1-x')
    expect((await listed()).status).toBe(403)
    await stage.world.advance(60_000)
    await listed()
    expect(stage.reviewed).toHaveLength(2)
  })

  it('that was refused is checked again after ten seconds', async () => {
    const foreign = tokenOf(aRun('team-a', 'other', 'u2'), pod)
    await listed({ token: foreign })
    await listed({ token: foreign })
    expect(stage.reviewed).toHaveLength(1)
    await stage.world.advance(10_000)
    await listed({ token: foreign })
    expect(stage.reviewed).toHaveLength(2)
  })
})
