import { describe, expect, it } from 'vitest'
import { kstatusOf } from './kstatus.ts'

function objectWith(status?: unknown, metadata: object = {}) {
  return { apiVersion: 'example.dev/v1', kind: 'Parent', metadata: { name: 'p', generation: 2, ...metadata }, status }
}

function observed(...conditions: readonly [string, string][]) {
  return objectWith({ observedGeneration: 2, conditions: conditions.map(([type, status]) => ({ type, status })) })
}

describe('what a deployment tool sees', () => {
  it.each([
    ['current, while there is no status at all', objectWith(), 'Current'],
    ['progress, while the generation was not looked at', objectWith({ observedGeneration: 1 }), 'InProgress'],
    ['progress, while reconciling', observed(['Ready', 'False'], ['Reconciling', 'True']), 'InProgress'],
    ['failure, once stalled', observed(['Ready', 'False'], ['Reconciling', 'True'], ['Stalled', 'True']), 'Failed'],
    ['progress, while not ready', observed(['Ready', 'Unknown']), 'InProgress'],
    ['current, once ready', observed(['Ready', 'True'], ['Stalled', 'False']), 'Current'],
    ['deletion, whatever else is said', objectWith({}, { deletionTimestamp: '2026-01-01T00:00:00Z' }), 'Terminating'],
  ])('is %s', (_name, object, expected) => {
    expect(kstatusOf(object)).toBe(expected)
  })
})
