import { describe, expect, it } from 'vitest'
import { a100, aPricedObservation, aRecord } from '../../../test/world/training-run.ts'
import { withPools } from './look.ts'

const queued = aPricedObservation({ compute: { pool: a100.name, queueName: 'team' } }).attempt(1, { kind: 'Running' }, aRecord(1, 'Running'))
const nodeWith = (labels: Readonly<Record<string, string>>) => ({ labelsOf: () => Promise.resolve(labels) })

describe('the node that a queue chose', () => {
  const pools = [{ ...a100, nodeSelector: { gpu: 'a100' } }]

  it('says which pool the attempt is priced by', async () => {
    expect(await withPools(queued.attempts, nodeWith({ gpu: 'a100' }), pools)).toMatchObject([{ number: 1, pool: a100.name }])
  })

  it('is unfit where its GPUs are slices or shared, whatever pool it belongs to', async () => {
    const [attempt] = await withPools(queued.attempts, nodeWith({ gpu: 'a100', 'nvidia.com/gpu.sharing-strategy': 'mps' }), pools)
    expect(attempt).toMatchObject({ pool: a100.name, unfit: expect.stringContaining('shared with other pods') })
  })

  it('is not looked at without a queue', async () => {
    const direct = aPricedObservation().attempt(1, { kind: 'Running' }, aRecord(1, 'Running'))
    const [attempt] = await withPools(direct.attempts, nodeWith({ gpu: 'a100', 'nvidia.com/gpu.sharing-strategy': 'mps' }), pools)
    expect(attempt).not.toHaveProperty('unfit')
  })
})
