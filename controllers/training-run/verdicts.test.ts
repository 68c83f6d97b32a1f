import { describe, expect, it } from 'vitest'
import { aPrepareVerdict, completed } from '../../test/world/training-run.ts'
import { readDataManifest, readPrepareVerdict, readResultManifest, readTrainVerdict } from './verdicts.ts'

describe('a verdict', () => {
  it('is read from a termination message', () => {
    expect(readTrainVerdict(JSON.stringify(completed(2, 20))).verdict).toEqual(completed(2, 20))
  })

  it('is read from a document of the store', () => {
    expect(readPrepareVerdict(aPrepareVerdict()).verdict).toEqual(aPrepareVerdict())
  })

  it.each([
    ['nothing', undefined],
    ['an empty message', ''],
    ['log lines', 'Traceback (most recent call last):\n  File "x.py"'],
    ['a message that was cut', JSON.stringify(completed(1)).slice(0, 50)],
    ['null', 'null'],
    ['a number', '42'],
    ['another program\'s verdict', JSON.stringify(aPrepareVerdict())],
    ['an exit code no status could carry', JSON.stringify({ ...completed(1), exitCode: 300 })],
    ['a reason no condition could carry', JSON.stringify({ ...completed(1), reason: 'has space' })],
  ])('is told apart from %s', (_what, raw) => {
    const read = readTrainVerdict(raw)
    expect(read.verdict).toBeUndefined()
    expect(read.unreadable).toMatch(/^(no verdict was left|the verdict does not have the agreed form)/)
  })

  it('is cut to what a status can keep', () => {
    expect(readTrainVerdict({ ...completed(1), message: 'x'.repeat(5000) }).verdict?.message).toHaveLength(1024)
  })
})

describe('a commit marker', () => {
  it('commits prepared data even where its verdict cannot be read', () => {
    expect(readDataManifest({ version: 1, files: [], verdict: 'garbage' })).toMatchObject({ exitCode: 0, reason: 'Completed' })
  })

  it('carries the verdict of the attempt that finished', () => {
    expect(readResultManifest({ version: 1, files: [], verdict: completed(2) })).toEqual(completed(2))
  })

  it('lists nothing that a status could not carry, and nothing twice', () => {
    const file = { key: 'result/a3/log', sha256: 'b'.repeat(64), sizeBytes: 10 }
    const files = [file, { ...file, key: 'result/a4-2/log' }, { ...file, key: 'x', sha256: 'none' }, 'garbage', { ...file, key: 'y'.repeat(600) }]
    expect(readResultManifest({ files }).artifacts).toEqual([{ ...file, key: 'result/a4-2/log', name: 'log' }])
    const [artifact] = completed(1).artifacts ?? []
    const twice = { ...completed(1), artifacts: Array.from({ length: 100 }, () => artifact) }
    expect(readTrainVerdict(twice).verdict?.artifacts).toEqual([artifact])
  })

  it('names the artifacts by its own files where it carries no verdict', () => {
    const file = { key: 'result/a3/adapter/adapter_config.json', sha256: 'b'.repeat(64), sizeBytes: 10 }
    expect(readResultManifest({ version: 1, files: [file] }).artifacts).toEqual([{ ...file, name: 'adapter/adapter_config.json' }])
  })
})
