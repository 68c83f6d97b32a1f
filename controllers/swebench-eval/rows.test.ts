import { array, assert, constantFrom, nat, property, record } from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ConfigMap } from '../shared/kinds.ts'
import { encodeRows, endings, indexed, isCode, recordedIn, ROWS, rowOf, rowsIn, SHARD, type Code } from './rows.ts'

const codes = Object.keys(endings).filter(isCode)
const aRow = record({ ordinal: nat(99_999), attempt: nat(20), code: constantFrom<Code>(...codes), seconds: nat(86_400) })
  .map(({ ordinal, attempt, code, seconds }) => rowOf({ ordinal, attempt: attempt + 1 }, code, seconds))

function aShard(number: number, rows: string): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `s-${number}`, labels: { [SHARD]: String(number) } }, data: { [ROWS]: rows } }
}

describe('rows in shards', () => {
  it('are read as they were written, in 60 bytes each at most', () => {
    assert(property(array(aRow), (rows) => {
      const text = encodeRows(rows)
      expect(rowsIn([aShard(0, text)])).toEqual(rows)
      expect(text.split('\n').every((line) => line.length < 60)).toBe(true)
    }))
  })

  it('keep their order across shards, also from the tenth on', () => {
    const shards = [11, 2, 0].map((number) => aShard(number, encodeRows([rowOf({ ordinal: number, attempt: 1 }, 'R', 1)])))
    expect(rowsIn(shards).map(({ ordinal }) => ordinal)).toEqual([0, 2, 11])
  })

  it('are read once, and again when a shard has changed', () => {
    const [full, open, grown] = [aShard(0, '0 R 1 5\n'), aShard(1, '1 R 1 5\n'), aShard(1, '1 R 1 5\n2 U 1 5\n')]
    expect(recordedIn([open, full])).toBe(recordedIn([full, open]))
    expect([...recordedIn([full, grown]).final.keys()]).toEqual([0, 1, 2])
    expect([...recordedIn([grown]).final.keys()]).toEqual([1, 2])
    expect([...recordedIn([full, open]).final.keys()]).toEqual([0, 1])
  })

  it('pass over what is none, such as an inputs ConfigMap or a line of somebody else', () => {
    const inputs: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'inputs' }, data: { 'run.json': '{}' } }
    expect(rowsIn([inputs, aShard(0, '1 R 1 5\nwhat is this\n2 Z 1 5\n')])).toEqual([rowOf({ ordinal: 1, attempt: 1 }, 'R', 5)])
  })

  it('are final where the last one of a prediction is', () => {
    const [lost, resolved, again] = [rowOf({ ordinal: 1, attempt: 1 }, 'i', 3), rowOf({ ordinal: 1, attempt: 2 }, 'R', 4), rowOf({ ordinal: 0, attempt: 1 }, 'm', 5)]
    expect([...indexed([lost, again, resolved]).final]).toEqual([[1, resolved]])
  })
})
