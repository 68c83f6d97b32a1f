import { describe, expect, it } from 'vitest'
import { goObjection } from './binaries.ts'
import { type Machine, objection } from './host.ts'

const debian: Machine = { platform: 'linux', userId: 0, missingPackages: [], hasApt: true }

describe('a machine that shall run a cluster', () => {
  it('will do when it is Linux with root', () => {
    expect(objection(debian)).toBeUndefined()
  })
  it('will do on Debian even if packages are missing, for they are installed', () => {
    expect(objection({ ...debian, missingPackages: ['runc'] })).toBeUndefined()
  })
  it.each<[string, Partial<Machine>, RegExp]>([
    ['another system', { platform: 'darwin' }, /needs Linux; this is darwin.*README/],
    ['no root', { userId: 1000 }, /with sudo/],
    ['missing programs and no apt', { missingPackages: ['runc', 'containerd'], hasApt: false }, /runc, containerd/],
  ])('is told what to do about %s', (_what, machine, message) => {
    expect(objection({ ...debian, ...machine })).toMatch(message)
  })
})

describe('the Go that builds it', () => {
  it('is any that fetches the version go.mod asks for', () => {
    expect(goObjection('go version go1.26.8 linux/amd64')).toBeUndefined()
    expect(goObjection('go version go1.21.0 linux/amd64')).toBeUndefined()
  })
  it('is refused when it is missing or too old for that', () => {
    expect(goObjection(undefined)).toMatch(/not found/)
    expect(goObjection('go version go1.19.8 linux/amd64')).toMatch(/go1.19.8/)
  })
})
