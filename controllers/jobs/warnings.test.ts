import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../operator/api/object.ts'
import { createWarningReader } from './warnings.ts'

const pod: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'team', name: 'p', uid: 'u1' } }

function event(reason: string, message: string, lastTimestamp: string | null, more: object = {}): KubeObject {
  const fields = { reason, message, lastTimestamp, ...more }
  return { apiVersion: 'v1', kind: 'Event', metadata: { name: message, creationTimestamp: '2026-01-01T12:00:00Z' }, ...fields }
}

function readerOf(...items: KubeObject[]) {
  const asked: unknown[] = []
  const list = async (_type: unknown, options: unknown) => {
    asked.push(options)
    return { items, resourceVersion: '1' }
  }
  return { asked, reader: createWarningReader({ list: list as never }) }
}

describe('the warnings about an object', () => {
  it('are those of this very object', async () => {
    const { reader, asked } = readerOf()
    expect(await reader.latest(pod)).toBeUndefined()
    expect(asked).toEqual([{ namespace: 'team', fieldSelector: 'involvedObject.uid=u1,type=Warning' }])
  })

  it('give the newest that says why it does not start, however its time is written', async () => {
    const { reader } = readerOf(
      event('FailedMount', 'third', null, { series: { lastObservedTime: '2026-01-01T12:03:00.000000Z' } }),
      event('FailedMount', 'first', '2026-01-01T12:01:00Z'),
      event('FailedCreatePodSandBox', 'second', null, { eventTime: '2026-01-01T12:02:00.000000Z' }),
    )
    expect(await reader.latest(pod)).toBe('third')
  })

  it('leave out what the pod itself says better', async () => {
    expect(await readerOf(event('FailedScheduling', '0/1 nodes', '2026-01-01T12:01:00Z')).reader.latest(pod)).toBeUndefined()
  })
})
