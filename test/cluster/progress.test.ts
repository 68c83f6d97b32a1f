import { describe, expect, it } from 'vitest'
import { elapsed, lines } from './progress.ts'

describe('progress', () => {
  it('says one line per finished step, with its time', async () => {
    const said: string[] = []
    expect(await lines(line => said.push(line))('build etcd', async () => 7)).toBe(7)
    expect(said).toEqual([expect.stringMatching(/^ {2}ok build etcd \d\.\ds$/)])
  })
  it('names the step that failed and lets the error through', async () => {
    const said: string[] = []
    const step = lines(line => said.push(line))('build etcd', async () => { throw new Error('no space left') })
    await expect(step).rejects.toThrow('no space left')
    expect(said).toEqual([expect.stringMatching(/^ {2}FAILED build etcd/)])
  })
  it('shows minutes once there are any', () => {
    expect([elapsed(4_230), elapsed(59_900), elapsed(95_000), elapsed(600_000)]).toEqual(['4.2s', '59.9s', '1m35s', '10m00s'])
  })
})
