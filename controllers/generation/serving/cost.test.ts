import { describe, expect, it } from 'vitest'
import type { PreferenceGenStatus } from '../../../crds/preference-gen.ts'
import { aPod, NOW, onGpus, ready, running, served, serving, settings, statusOf } from '../../../test/world/serving.ts'
import { poolsSchema } from '../../pools/pool-config.ts'
import { plan } from '../../preference-gen/plan.ts'
import { resolve } from '../../preference-gen/resolve.ts'
import type { Server } from './server.ts'

const MINUTE = 60_000

describe('what serving costs', () => {
  const at = (minutes: number, server: Server, status?: PreferenceGenStatus) => statusOf(serving({ server, now: new Date(NOW.getTime() + minutes * MINUTE), ...(status === undefined ? {} : { status }) }))

  it('is counted from the moment the pod has its node, and looked at each minute', () => {
    expect(at(0, ready())).toMatchObject({ cost: { pods: 0, servingSeconds: 600 }, serving: { pods: [{ name: 'smith-prefs-serve-1', seconds: 600 }] } })
    expect(plan(serving({ server: ready() })).again).toBeLessThanOrEqual(60)
  })

  it('outlives the pod, a restart of the operator, and the pods that follow', () => {
    const first = at(0, ready())
    expect(at(5, { pods: [] }, first).cost?.servingSeconds).toBe(600)
    const next = at(5, served(aPod({ name: 'smith-prefs-serve-2', ready: true })), first)
    expect([next.cost?.servingSeconds, next.serving?.pods?.length]).toEqual([600 + 900, 2])
  })

  it('counts pods that the status no longer shows', () => {
    const status = Array.from({ length: 12 }).reduce<PreferenceGenStatus | undefined>((before, _, number) => at(0, served(aPod({ name: `p-${number}`, ready: true })), before), undefined)
    expect([status?.cost?.servingSeconds, status?.serving?.pods?.length]).toEqual([12 * 600, 8])
  })

  it('counts one of several servers once, however often the others are lost', () => {
    const steady = aPod({ name: 'steady', ready: true })
    const status = Array.from({ length: 12 }).reduce<PreferenceGenStatus | undefined>((before, _, number) => at(0, served(steady, aPod({ name: `p-${number}`, ready: true })), before), undefined)
    expect(status?.cost?.servingSeconds).toBe(13 * 600)
    expect(status?.serving?.pods).toContainEqual({ name: 'steady', seconds: 600 })
  })

  it('is counted exactly where the pod is asked to end: it may be gone before anybody sees its end', () => {
    const going = aPod({ serve: running, ready: true, gone: true, name: 'going' }) // its grace ends at 01:00:00
    expect(at(-9 / 60, served(going)).cost?.servingSeconds).toBe(590)
    expect(at(5, { pods: [] }, at(-9 / 60, served(going))).cost?.servingSeconds).toBe(590)
  })

  it('is counted exactly once the last sample is in: the next look may find that all is over', () => {
    const asked = statusOf(serving({ server: ready(), now: new Date(NOW.getTime() + 20_000) }))
    const generation: NonNullable<PreferenceGenStatus['generation']> = { predictions: 'samples/g1/predictions.jsonl' }
    const over = statusOf(serving({ server: ready(), now: new Date(NOW.getTime() + 20_000), status: { ...asked, generation } }))
    expect([asked.cost?.servingSeconds, over.cost?.servingSeconds]).toEqual([600, 620])
  })

  it('is counted for cores and memory too, and is part of what everything took', () => {
    expect(at(0, ready()).cost).toEqual({ pods: 0, cpuSeconds: 0, memoryGiBSeconds: 0, seconds: 600, servingSeconds: 600, servingCpuSeconds: 1200, servingMemoryGiBSeconds: 4800 })
  })

  it('ends with the pod', () => {
    const gone = { ...aPod({ serve: { state: { terminated: { exitCode: 143, finishedAt: '2026-01-01T01:00:30Z' } } }, gone: true }) }
    expect(at(9, { pods: [gone] }, at(0, ready())).cost?.servingSeconds).toBe(630)
  })
})

describe('what serving on GPUs costs', () => {
  it('costs what its pool does, for each pod and each of its GPUs', () => {
    const priced = poolsSchema.parse([{ name: 'a100', platform: 'GKE', gpu: 'A100-80', pricePerGPUHour: '3.6', pricePerPodHour: '0.6' }])
    const seen = { ...onGpus({ gpus: 2, replicas: 2 }, priced), server: served(aPod({ ready: true, name: 'a' }), aPod({ ready: true, name: 'b' })) }
    expect(statusOf(seen).cost).toMatchObject({ servingSeconds: 1200, servingGPUSeconds: 2400, amount: '2.6000', currency: 'USD' })
    expect(statusOf(seen).resolved).toMatchObject({ servingPricePerGPUHour: '3.6', servingPricePerPodHour: '0.6', currency: 'USD' })
  })

  it('costs to its end what its pool cost when it began', () => {
    const priced = (prices: object) => poolsSchema.parse([{ name: 'a100', platform: 'GKE', gpu: 'A100-80', ...prices }])
    const first = { ...onGpus({}, priced({ pricePerGPUHour: '3.6' })), server: ready() }
    const generation = { ...first.generation, status: statusOf(first) }
    const dearer = { ...settings, currency: 'EUR', pools: priced({ pricePerGPUHour: '36', pricePerPodHour: '1' }) }
    expect(statusOf({ ...first, generation, settings: dearer, resolved: resolve(generation, dearer) }).cost).toMatchObject({ amount: '0.6000', currency: 'USD' })
  })

  it('has no cost in money where its pool has no price, until it has one', () => {
    const before = statusOf({ ...onGpus({}), server: ready() })
    expect(before.cost).not.toHaveProperty('amount')
    const priced = { ...settings, pools: poolsSchema.parse([{ name: 'a100', platform: 'GKE', gpu: 'A100-80', pricePerGPUHour: '3.6' }]) }
    const generation = { ...onGpus({}).generation, status: before }
    expect(statusOf({ ...onGpus({}), generation, settings: priced, resolved: resolve(generation, priced), server: ready() }).cost).toMatchObject({ amount: '0.6000' })
  })
})
