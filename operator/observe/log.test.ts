import { describe, expect, it } from 'vitest'
import { createLog } from './log.ts'

describe('the log', () => {
  it('writes one JSON object a line, with a constant message and the fields of its child', () => {
    const lines: string[] = []
    const log = createLog('info', { write: (line) => void lines.push(line) })
    log.child({ controller: 'fleet' }).error({ err: new Error('sunk') }, 'reconcile failed')
    log.debug({}, 'not shown')
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'error', time: expect.stringMatching(/^\d{4}-.*Z$/), controller: 'fleet', msg: 'reconcile failed', err: { message: 'sunk' },
    })
  })
})
