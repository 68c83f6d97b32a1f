import { assert, constantFrom, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'

import { keyOfUri, keyProblem, prefixProblem } from './keys.ts'

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

describe('a URI', () => {
  it('under the own namespace names a key', () => {
    expect(keyOfUri('s3://swe/team-a/models/tiny/config.json', 'swe', 'team-a')).toEqual({ key: 'team-a/models/tiny/config.json' })
  })

  it.each(['s3://swe/team-b/x', 's3://other/team-a/x', 's3://swe/team-ab/x', 's3://swe/team-a', 'https://swe/team-a/x', 'S3://swe/team-a/x'])('such as %s is refused', (uri) => {
    expect(keyOfUri(uri, 'swe', 'team-a')).toEqual({ problem: 'lies outside s3://swe/team-a/' })
  })
})
