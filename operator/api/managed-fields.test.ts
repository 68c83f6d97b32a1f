import { describe, expect, it } from 'vitest'
import { withoutManagedFields } from './managed-fields.ts'

const managed = [{ manager: 'swe-operator "]},"spec":{', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:containers': { 'k:{"name":"a"}': { '.': {}, 'f:env': {} } } } } }, { manager: 'kubelet', fieldsV1: { 'f:status': {} } }]
const pod = { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'a', annotations: { note: '"managedFields":[ "]},"spec":{' }, managedFields: managed }, spec: { nodeName: 'n', containers: [{ name: 'a' }] }, status: { phase: 'Running' } }
const bare = { ...pod, metadata: { ...pod.metadata, managedFields: [] } }

describe('the managed fields of a pod', () => {
  it('are cut out before it is parsed, and nothing else is', () => {
    expect(JSON.parse(withoutManagedFields(JSON.stringify(pod)))).toEqual(bare)
  })

  it('are cut out of an event of a watch', () => {
    expect(JSON.parse(withoutManagedFields(JSON.stringify({ type: 'MODIFIED', object: pod })))).toEqual({ type: 'MODIFIED', object: bare })
  })

  it.each([
    ['that has none', JSON.stringify(bare)],
    ['of which there is the end alone', '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7"}}}'],
    ['in another order', JSON.stringify({ metadata: { managedFields: managed, name: 'a' }, status: {} })],
  ])('are left as they are in one %s', (_what, text) => {
    expect(withoutManagedFields(text)).toBe(text)
  })
})
