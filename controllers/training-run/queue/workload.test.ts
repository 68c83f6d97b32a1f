import { describe, expect, it } from 'vitest'
import { ApiError } from '../../../operator/api/errors.ts'
import type { KubeObject, ResourceType } from '../../../operator/api/object.ts'
import type { ListOptions } from '../../../operator/api/resource.ts'
import { createFakeWorld } from '../../../operator/testing/fake-world.ts'
import { createQueueReader } from './workload.ts'

const job: KubeObject = { apiVersion: 'batch/v1', kind: 'Job', metadata: { namespace: 'team', name: 'sft-a1', uid: 'u1' } }
const one: KubeObject = { apiVersion: 'kueue.x-k8s.io/v1beta2', kind: 'Workload', metadata: { name: 'job-sft-a1-1b2c3' } }

function kueue(served: readonly string[], items: readonly KubeObject[] = [one]) {
  const asked: string[] = []
  const world = createFakeWorld()
  const list = async ({ apiVersion }: ResourceType, options: ListOptions<KubeObject> = {}) => {
    asked.push(`${apiVersion} ${options.namespace} ${options.labelSelector}`)
    if (!served.includes(apiVersion)) throw new ApiError({ code: served.includes('refuse') ? 403 : 404, reason: '', message: 'no' })
    return { items: [...items], resourceVersion: '1' }
  }
  return { asked, world, reader: createQueueReader({ list: list as never }, world) }
}

describe("Kueue's view of a Job", () => {
  it('is the Workload with the uid of the Job', async () => {
    const { asked, reader } = kueue(['kueue.x-k8s.io/v1beta2'])
    expect(await reader.of(job)).toEqual({ kind: 'Workload', workload: one })
    expect(asked).toEqual(['kueue.x-k8s.io/v1beta2 team kueue.x-k8s.io/job-uid=u1'])
  })

  it('is read from an older Kueue too', async () => {
    expect(await kueue(['kueue.x-k8s.io/v1beta1']).reader.of(job)).toMatchObject({ kind: 'Workload' })
  })

  it('is one that is to stay, where Kueue replaces its Workload', async () => {
    const old = { ...one, metadata: { name: 'old', deletionTimestamp: '2026-01-01T12:00:00Z' } }
    expect(await kueue(['kueue.x-k8s.io/v1beta2'], [old, one]).reader.of(job)).toEqual({ kind: 'Workload', workload: one })
  })

  it('tells a cluster without Kueue from one that has made no Workload yet and one that may not be read', async () => {
    const answers = [kueue([]), kueue(['kueue.x-k8s.io/v1beta2'], []), kueue(['refuse'])].map(({ reader }) => reader.of(job))
    expect((await Promise.all(answers)).map(({ kind }) => kind)).toEqual(['NoApi', 'NoWorkload', 'Unreadable'])
  })

  it('is asked for once in five seconds', async () => {
    const { asked, reader, world } = kueue(['kueue.x-k8s.io/v1beta2'])
    await reader.of(job)
    await world.advance(4_000)
    await reader.of(job)
    expect(asked).toHaveLength(1)
    await world.advance(2_000)
    await reader.of(job)
    expect(asked).toHaveLength(2)
  })
})
