import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseStat } from './daemons.ts'

describe('who a process is', () => {
  it('is read from the kernel, whatever the process calls itself', () => {
    const rest = `1 ${Array.from({ length: 17 }, (_, at) => at).join(' ')} 4711 99`
    expect(parseStat(`42 (sh) S (x) R ${rest}`)).toEqual({ pid: 42, state: 'R', startTicks: '4711' })
  })
  it('has a start, so that a number given away twice is noticed', () => {
    const self = parseStat(readFileSync('/proc/self/stat', 'utf8'))
    expect(self).toMatchObject({ pid: process.pid })
    expect(self?.startTicks).not.toBe(parseStat(readFileSync('/proc/1/stat', 'utf8'))?.startTicks)
  })
  it('is nobody when the file is empty', () => {
    expect(parseStat('')).toBeUndefined()
  })
})
