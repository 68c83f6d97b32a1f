import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { trimPod } from './cached-pods.ts'

const managed = [{ manager: 'swe-operator "]},"spec":{', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:containers': { 'k:{"name":"a"}': { '.': {}, 'f:restartPolicy': {} } } } } }, { manager: 'kubelet', fieldsV1: { 'f:status': {} } }]
const sidecar = { name: 'b', image: 'b', resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }], restartPolicy: 'Always' }
const rest = { restartPolicy: 'Never', nodeSelector: { restartPolicy: 'x', nodeName: 'not-this-one' }, nodeName: 'n', tolerations: [{ key: 'a', operator: 'Exists' }] }
const before = { volumes: [{ name: 'v', ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'] } } } }], initContainers: [sidecar], containers: [{ name: 'a', args: ['],"restartPolicy":"Always"'] }] }
const status = { phase: 'Running', containerStatuses: [{ name: 'a', state: { terminated: { message: '],"restartPolicy":"' } } }] }

function aPod({ name = 'a', note = '"managedFields":[ "]},"spec":{ ],"restartPolicy":"' }: Readonly<{ name?: string; note?: string }> = {}) {
  return { kind: 'Pod', apiVersion: 'v1', metadata: { name, annotations: { note }, managedFields: managed }, spec: { ...before, ...rest }, status: { ...status, message: note } }
}

function trimmed(value: unknown): unknown {
  return JSON.parse(trimPod(Buffer.from(JSON.stringify(value))).toString())
}

const bare = (pod: ReturnType<typeof aPod>) => ({ ...pod, metadata: { ...pod.metadata, managedFields: [] }, spec: rest })

describe('the text of a pod', () => {
  it('loses its managed fields, volumes and containers, and nothing else', () => {
    expect(trimmed(aPod())).toEqual(bare(aPod()))
  })

  it('loses them in an event of a watch', () => {
    expect(trimmed({ type: 'MODIFIED', object: aPod() })).toEqual({ type: 'MODIFIED', object: bare(aPod()) })
  })

  it('stays right whatever stands in its strings', () => {
    const looksLikeAnEnd = fc.string({ unit: fc.constantFrom('"', '\\', ']', '}', ',', '{', ':', '"managedFields":[', ']},"spec":{', '],"restartPolicy":"', 'ä') })
    fc.assert(fc.property(looksLikeAnEnd, looksLikeAnEnd, (name, note) => {
      expect(trimmed(aPod({ name, note }))).toEqual(bare(aPod({ name, note })))
    }))
  })

  it.each([
    ['without managed fields', { ...aPod(), metadata: { name: 'a' } }],
    ['of which only the metadata are there', { type: 'BOOKMARK', object: { metadata: { resourceVersion: '7' } } }],
    ['with its fields in another order', { metadata: { managedFields: managed, name: 'a' }, spec: rest, status: {} }],
    ['without containers', { kind: 'Pod', metadata: { name: 'a', managedFields: managed }, spec: rest, status: {} }],
  ])('is left as it is %s', (_how, value) => {
    expect(trimmed(value)).toEqual(value)
  })
})
