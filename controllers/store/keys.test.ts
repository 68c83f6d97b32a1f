import { assert, constantFrom, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'

import { keyOfUri, keyProblem, mayShare, mayWrite, prefixProblem } from './keys.ts'

describe('a key', () => {
  it.each(['data/manifest.json', 'checkpoints/a1/step-20/adapter_model.safetensors', 'data/ü and +&%.jsonl', 'a..b/..c/d..'])('may be %s', (key) => {
    expect(keyProblem(key)).toBeUndefined()
  })

  it.each([
    ['', 'is empty'],
    ['data/', 'ends with a slash'],
    ['/etc/passwd', 'is absolute'],
    ['../other/secret', 'contains a dot segment'],
    ['data/../../other', 'contains a dot segment'],
    ['data/..', 'contains a dot segment'],
    ['data/./x', 'contains a dot segment'],
    ['data//x', 'contains an empty segment'],
    ['data/\u0000x', 'contains a control character'],
    ['data/\nx', 'contains a control character'],
    ['data/\u007f', 'contains a control character'],
    ['data/\ud800', 'contains a control character'],
    [`data/${'ü'.repeat(510)}`, 'is longer than 1024 bytes'],
  ])('may not be %j', (key, problem) => {
    expect(keyProblem(key)).toBe(problem)
  })

  it('that is accepted stays where it is when a URL is made of it', () => {
    assert(property(string({ unit: constantFrom('a', '.', '/', '%', '2', 'e', '\\', '?', '#') }), (key) => {
      if (keyProblem(key) !== undefined) return
      const path = `/bucket/ns/uid/${key.split('/').map(encodeURIComponent).join('/')}`
      expect(decodeURIComponent(new URL(path, 'http://store').pathname)).toBe(`/bucket/ns/uid/${key}`)
    }))
  })
})

describe('a prefix', () => {
  it.each(['', 'checkpoints/', 'checkpoints/a1/step-'])('may be %j', (prefix) => {
    expect(prefixProblem(prefix)).toBeUndefined()
  })

  it.each(['/', '//', '../', 'a/../', 'a//b'])('may not be %j', (prefix) => {
    expect(prefixProblem(prefix)).toBeDefined()
  })
})

describe('a program', () => {
  const keys = ['data/p1/rows.jsonl', 'data/manifest.json', 'samples/p1/rows.jsonl', 'samples/manifest.json', 'report/p1/page.html', 'result/a1/model', 'models/p1/config.json', 'publish/manifest.json']

  it('that serves a model writes nothing', () => {
    expect(keys.filter((key) => mayWrite({ role: 'serve', attempt: undefined, podUid: 'p1' }, key))).toEqual([])
  })

  it('writes what is its own alone', () => {
    expect(keys.filter((key) => mayWrite({ role: 'generate', attempt: '1', podUid: 'p1' }, key))).toEqual(['samples/p1/rows.jsonl', 'samples/manifest.json'])
    expect(keys.filter((key) => mayWrite({ role: 'publish', attempt: '1', podUid: 'p1' }, key))).toEqual(['publish/manifest.json'])
  })
})

describe('the cache of verdicts', () => {
  const entry = `verdict-cache/${'0'.repeat(64)}.json`
  const asked = (kind: string, role: string, method: 'GET' | 'PUT', key: string) => mayShare({ kind, role, method }, key)

  it('is for preparations of evaluations to read and for their reports to add to, and for nobody else', () => {
    const may = ['SWEBenchEval', 'TrainingRun'].flatMap((kind) => ['prepare', 'report', 'train', 'sandbox'].flatMap((role) => (['GET', 'PUT'] as const).flatMap((method) => (asked(kind, role, method, entry) ? [`${kind} ${role} ${method}`] : []))))
    expect(may).toEqual(['SWEBenchEval prepare GET', 'SWEBenchEval report PUT'])
  })

  it.each([entry.replace('.json', '-2.json'), entry.replace('.json', '-9.json')])('has a few places of one name, such as %s', (key) => {
    expect(asked('SWEBenchEval', 'report', 'PUT', key)).toBe(true)
  })

  it.each(['verdict-cache/x.json', entry.replace('.json', '-10.json'), entry.replace('.json', '-1.json'), `${entry}/x`, `verdict-cache/a/${'0'.repeat(64)}.json`, 'data/x', `u1/${entry}`])('has no other place, such as %s', (key) => {
    expect(asked('SWEBenchEval', 'report', 'PUT', key)).toBe(false)
  })
})

describe('a URI', () => {
  it('under the own namespace names a key', () => {
    expect(keyOfUri('s3://swe/team-a/models/tiny/config.json', 'swe', 'team-a')).toEqual({ key: 'team-a/models/tiny/config.json' })
  })

  it.each(['s3://swe/team-b/x', 's3://other/team-a/x', 's3://swe/team-ab/x', 's3://swe/team-a', 'https://swe/team-a/x', 'S3://swe/team-a/x'])('such as %s is refused', (uri) => {
    expect(keyOfUri(uri, 'swe', 'team-a')).toEqual({ problem: 'lies outside s3://swe/team-a/' })
  })
})
