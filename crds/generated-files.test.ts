import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { customResourceDefinition } from './definition.ts'
import { generatedFiles, staleFiles } from './generated-files.ts'
import { kinds } from './kinds.ts'

const generated = join(import.meta.dirname, 'generated')
const trainingRuns = 'swe-operator.dev_trainingruns.yaml'

describe('crds/generated', () => {
  it('is what the schemas say', () => {
    expect(staleFiles(generated, generatedFiles(kinds))).toEqual([])
  })

  it('is what kubectl apply -k crds applies', () => {
    const kustomization: unknown = load(readFileSync(join(import.meta.dirname, 'kustomization.yaml'), 'utf8'))
    expect(kustomization).toMatchObject({ resources: [...generatedFiles(kinds).keys()].map((name) => `generated/${name}`) })
  })

  it('holds each definition unchanged by the way into YAML', () => {
    const [kind] = kinds
    if (kind === undefined) throw new Error('there is no kind')
    const definition: unknown = JSON.parse(JSON.stringify(customResourceDefinition(kind)))
    expect(load(readFileSync(join(generated, trainingRuns), 'utf8'))).toEqual(definition)
  })
})

describe('the check for stale files', () => {
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'crds-'))
    cpSync(generated, directory, { recursive: true })
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  it('names a file that was edited by hand', () => {
    writeFileSync(join(directory, trainingRuns), 'edited')
    expect(staleFiles(directory, generatedFiles(kinds))).toEqual([`crds/generated/${trainingRuns} is stale`])
  })

  it('names a file that is missing', () => {
    rmSync(join(directory, trainingRuns))
    expect(staleFiles(directory, generatedFiles(kinds))).toEqual([`crds/generated/${trainingRuns} is missing`])
  })

  it('names a file of a kind that is gone', () => {
    writeFileSync(join(directory, 'swe-operator.dev_old.yaml'), '')
    expect(staleFiles(directory, generatedFiles(kinds))).toEqual(['crds/generated/swe-operator.dev_old.yaml belongs to no kind'])
  })
})

describe('node crds/generate.ts', () => {
  it('passes the check on a fresh checkout', () => {
    const output = execFileSync(process.execPath, [join(import.meta.dirname, 'generate.ts'), '--check'], { encoding: 'utf8' })
    expect(output).toBe('crds/generated is up to date\n')
  })

  it('fails the check on a stale file and says what mends it', () => {
    const copy = mkdtempSync(join(tmpdir(), 'crds-copy-'))
    for (const folder of ['crds', 'operator']) cpSync(join(import.meta.dirname, '..', folder), join(copy, folder), { recursive: true })
    cpSync(join(import.meta.dirname, '..', 'package.json'), join(copy, 'package.json'))
    execFileSync('ln', ['-s', join(import.meta.dirname, '..', 'node_modules'), join(copy, 'node_modules')])
    writeFileSync(join(copy, 'crds/generated', trainingRuns), 'edited')
    const { status, stderr } = spawnSync(process.execPath, [join(copy, 'crds/generate.ts'), '--check'], { encoding: 'utf8' })
    rmSync(copy, { recursive: true })
    expect({ status, stderr }).toEqual({ status: 1, stderr: `crds/generated/${trainingRuns} is stale\nRun \`npm run generate\` and commit the result.\n` })
  })
})
