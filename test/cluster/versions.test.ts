import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { versionSet } from './binaries.ts'
import { ETCD, KUBERNETES, toolPackages } from './versions.ts'

const goMod = readFileSync(join(import.meta.dirname, 'binaries/go.mod'), 'utf8')

describe('the pinned versions', () => {
  it('are the ones go.mod builds', () => {
    expect(goMod).toContain(`k8s.io/kubernetes ${KUBERNETES} `)
    expect(goMod).toContain(`go.etcd.io/etcd/server/v3 ${ETCD} `)
  })
  it('name every program that go.mod lists as a tool', () => {
    const tools = goMod.split('tool (')[1]?.split(')')[0]?.trim().split(/\s+/)
    expect(tools?.sort()).toEqual(Object.values(toolPackages).sort())
  })
})

describe('a version set', () => {
  it('has the same name for the same versions', () => {
    expect(versionSet(goMod, 'sums')).toBe(versionSet(goMod, 'sums'))
  })
  it('has another name once any module changes, so that no stale binary is used', () => {
    expect(versionSet(goMod, 'sums')).not.toBe(versionSet(goMod.replace('v1.35.4', 'v1.35.5'), 'sums'))
    expect(versionSet(goMod, 'sums')).not.toBe(versionSet(goMod, 'other sums'))
  })
})
