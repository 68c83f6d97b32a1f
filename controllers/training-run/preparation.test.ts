import { describe, expect, it } from 'vitest'
import { evidence, outcome } from '../../test/world/planned.ts'
import { aPrepareVerdict, anObservation } from '../../test/world/training-run.ts'

const running = { kind: 'Running' } as const

describe('preparing the data', () => {
  it('is watched while its pod runs', () => {
    expect(outcome(anObservation().preparing(running))).toMatchObject({ state: 'Preparing', writes: [] })
  })

  it('names the ConfigMap that its pod waits for', () => {
    const waiting = { kind: 'Waiting', reason: 'ContainerCreating', message: '' } as const
    const seen = anObservation().preparing(waiting).with({ warning: 'MountVolume.SetUp failed for volume "data" : configmap "rows" not found' })
    expect(outcome(seen)).toMatchObject({ state: 'WaitingForReference', message: expect.stringContaining('configmap "rows" not found') })
  })

  it('ends the run with the words of the program when the data can never be used', () => {
    const verdict = { ...aPrepareVerdict(), exitCode: 65, reason: 'InvalidData', message: 'Row 3 has no patch.' }
    expect(outcome(anObservation().preparing({ kind: 'Ended', verdict }))).toMatchObject({ state: 'InvalidData', message: 'Row 3 has no patch.', writes: [] })
  })

  it('is repeated after a pause when its pod was evicted', () => {
    const seen = anObservation().preparing(evidence({ phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory.' }))
    expect(outcome(seen)).toMatchObject({ state: 'Retrying', writes: [], again: 10 })
    expect(outcome(seen.later(10))).toMatchObject({ state: 'Preparing', writes: ['create Job sft-prepare-2'] })
  })

  it('is given up when its program fails more often than retries allow', () => {
    const crash = evidence({ phase: 'Failed', containerStatuses: [{ name: 'prepare', state: { terminated: { exitCode: 1, message: 'MemoryError' } } }] })
    const seen = anObservation({ retries: { limit: 1 } }).preparing(crash).preparing(crash).later(1000)
    expect(outcome(seen)).toMatchObject({ state: 'Failed', message: expect.stringContaining('MemoryError') })
  })

  it('keeps the failures that count against a high limit, or they would never reach it', () => {
    const crash = evidence({ phase: 'Failed', containerStatuses: [{ name: 'prepare', state: { terminated: { exitCode: 1 } } }] })
    const evicted = evidence({ phase: 'Failed', reason: 'Evicted' })
    const seen = [evicted, ...Array.from({ length: 7 }, () => crash)].reduce((before, pod) => before.preparing(pod), anObservation({ retries: { limit: 8 } })).later(1000)
    expect(outcome(seen).writes).toEqual(['remove Job sft-prepare-1', 'create Job sft-prepare-9'])
  })

  it('is given up when it is driven away five times in a row', () => {
    const evicted = evidence({ phase: 'Failed', reason: 'Evicted', message: 'Usage of EmptyDir volume exceeds the limit.' })
    const seen = Array.from({ length: 5 }, () => evicted).reduce((before, pod) => before.preparing(pod), anObservation()).later(1000)
    expect(outcome(seen)).toMatchObject({ state: 'Failed', writes: [], message: expect.stringContaining('failed 5 times, at last with Evicted') })
  })
})
