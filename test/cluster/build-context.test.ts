import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { copying, ignoring, inputHash } from './build-context.ts'

describe('a .dockerignore', () => {
  const ignored = ignoring('# all but\n*\n!package.json\n!operator/**/*.ts\n**/*.test.ts\noperator/testing\n')

  it.each(['package.json', 'operator/main.ts', 'operator/api/object.ts'])('lets %s through', path => {
    expect(ignored(path)).toBe(false)
  })
  it.each(['README.md', 'test/run.ts', 'operator/README.md', 'operator/api/object.test.ts', 'operator/testing/world.ts'])('leaves out %s', path => {
    expect(ignored(path)).toBe(true)
  })
  it('leaves out nothing when it is empty', () => {
    expect(ignoring('')('anything/at.all')).toBe(false)
  })
})

describe('a Dockerfile', () => {
  const copied = copying('FROM a AS build\nCOPY package.json \\\n  lock.json ./\nFROM b\nCOPY --from=build /app /app\nCOPY --chown=1:1 ./src src\nADD config/*.yaml /etc/\n')

  it.each(['package.json', 'lock.json', 'src/deep/main.ts', 'config/a.yaml'])('copies %s', path => {
    expect(copied(path)).toBe(true)
  })
  it.each(['README.md', 'app/main.ts', 'config/deep/a.yaml', 'srcs/x'])('does not copy %s', path => {
    expect(copied(path)).toBe(false)
  })
  it('copies everything with a dot', () => {
    expect(copying('COPY . .')('any/thing')).toBe(true)
  })
  it('copies what its arguments name', () => {
    const copiedOfOne = copying('ARG NAME\nCOPY packages/${NAME}/pins.txt /\n', { NAME: 'one' })
    expect(copiedOfOne('packages/one/pins.txt')).toBe(true)
    expect(copiedOfOne('packages/two/pins.txt')).toBe(false)
  })
})

describe('the inputs of an image', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swe-operator-context-'))
    await mkdir(join(directory, 'src'))
    await writeFile(join(directory, 'Dockerfile'), 'FROM scratch\nCOPY src /\n')
    await writeFile(join(directory, '.dockerignore'), '*\n!src\n')
    await writeFile(join(directory, 'src/main.ts'), 'one')
  })
  afterEach(() => rm(directory, { recursive: true }))
  const hash = (base = 'base:1') => inputHash({ directory, dockerfile: 'Dockerfile', args: { BASE_IMAGE: base } })

  it('stay the same while only what is left out changes', async () => {
    const before = await hash()
    await writeFile(join(directory, 'README.md'), 'new')
    expect(await hash()).toBe(before)
  })
  it.each([['a file', 'src/main.ts'], ['a new file', 'src/other.ts'], ['the Dockerfile', 'Dockerfile']])('change with %s', async (_what, path) => {
    const before = await hash()
    await writeFile(join(directory, path), 'two')
    expect(await hash()).not.toBe(before)
  })
  it('change with the base image', async () => {
    expect(await hash('base:2')).not.toBe(await hash('base:1'))
  })
})
